"""Collects runs in the paper's tables: mean ± standard deviation over training classes and seeds, by protocol."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pointad.datasets.registry import DATASETS
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.metrics.class_metrics import PUBLISHED_METRICS
from pointad.report.grouping import methods
from pointad.report.partial_figures import partial_notes
from pointad.report.protocol_notes import marks, run_notes, standard_text
from pointad.report.published import PUBLISHED, PUBLISHED_BACKBONE
from pointad.report.runs import Run, backbone_in_tables, dataset_title

PROTOCOLS = ("one-vs-rest", "cross-dataset")
OTHER = ""  # runs whose protocol is not known
PROTOCOL_TITLES = {"one-vs-rest": "One-vs-rest", "cross-dataset": "Cross-dataset", OTHER: "Other runs"}


@dataclass(frozen=True)
class Summary:
    """A metric over several runs, as fractions."""

    mean: float
    deviation: float | None  # sample standard deviation, None for a single run


@dataclass(frozen=True)
class TableRow:
    """A method on a data set."""

    dataset: str  # as in tables
    method: str
    backbone: str
    runs: int | None  # None for published figures
    training_classes: tuple[str, ...]
    seeds: tuple[str, ...]
    metrics: dict[str, Summary]  # those that are defined in any run
    supervision: str = "zero-shot"  # or "4-shot" and so on
    draws: int | None = None  # of good scans, in each run
    notes: tuple[str, ...] = ()  # deviations from the table's protocol; the source of published figures

    @property
    def is_published(self) -> bool:
        """Whether these are the paper's figures."""
        return self.runs is None


@dataclass(frozen=True)
class ProtocolTable:
    """One of the paper's tables: a protocol and a modality, over data sets and methods."""

    protocol: str
    modality: str
    rows: list[TableRow]
    metrics: list[str]  # the columns

    @cached_property
    def marks(self) -> dict[str, str]:
        """A letter for every note of its rows."""
        return marks(row.notes for row in self.rows)

    @property
    def standard(self) -> str:
        """The protocol of all unmarked rows."""
        return standard_text(self.protocol)

    def method_text(self, row: TableRow) -> str:
        """The method of a row with the letters of its notes."""
        letters = [self.marks[note] for note in row.notes]
        return row.method + (f" [{', '.join(letters)}]" if letters else "")

    @property
    def title(self) -> str:
        """The caption."""
        protocol, modality = PROTOCOL_TITLES.get(self.protocol, self.protocol), MODALITY_TITLES[self.modality].lower()
        return f"{protocol}, {modality}"


def protocol_tables(runs: Iterable[Run], modalities: Sequence[str] = ("point", "fused")) -> list[ProtocolTable]:
    """Make one table for each protocol and modality that any run has.

    A run without a protocol that learned nothing (prompt ensemble) joins every protocol of its data set. Runs share a
    row if they differ in seed, training class and place only. Published figures are shown next to runs on the complete
    data set that they were measured on, unless only the demo backbone was run on it.

    Args:
        runs: in any order.
        modalities: which tables to make.
    """
    tables = []
    for protocol, of_protocol in runs_by_protocol(list(runs)).items():
        for modality in modalities:
            rows = _rows(of_protocol, protocol, modality)
            if rows:
                present = {name for row in rows for name in row.metrics}
                columns = [*PUBLISHED_METRICS, *sorted(present - set(PUBLISHED_METRICS))]
                tables.append(ProtocolTable(protocol, modality, rows, columns))
    return tables


def runs_by_protocol(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs of the tables of each protocol, in the order of the tables; some are in those of several protocols."""
    titles = list(map(dataset_title, runs))
    named = {title for run, title in zip(runs, titles, strict=True) if run_protocol(run) != OTHER}
    own: dict[str, list[Run]] = {protocol: [] for protocol in PROTOCOLS}
    present: dict[str, set[str]] = defaultdict(set)  # titles of the data sets of each protocol
    joining: dict[str, list[tuple[int, Run]]] = defaultdict(list)  # the ensemble on data sets of these, by title
    for number, (run, title) in enumerate(zip(runs, titles, strict=True)):
        protocol = run_protocol(run)
        if protocol == OTHER and run.record.prompts == "ensemble" and title in named:
            joining[title].append((number, run))
        else:
            own.setdefault(protocol, []).append(run)
            present[protocol].add(title)
    found = {}
    for protocol in (*PROTOCOLS, *sorted(own.keys() - {*PROTOCOLS, OTHER}), OTHER):
        joined = sorted((one for title in present[protocol] for one in joining[title]), key=lambda one: one[0])
        found[protocol] = own.get(protocol, []) + [run for _, run in joined if protocol != OTHER]
    return found


def summarize(values: Sequence[float]) -> Summary:
    """Mean and sample standard deviation of at least one value."""
    return Summary(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def run_protocol(run: Run) -> str:
    """The protocol of a run, or "" if it is unknown."""
    return run.record.protocol or OTHER


def _rows(runs: Sequence[Run], protocol: str, modality: str) -> list[TableRow]:
    measured = [run for run in runs if modality in run.results.modalities]
    rows = [_row(*method, modality) for method in methods(measured)]
    comparable = {row.dataset for row in rows} - {dataset_title(run) for run in measured if run.record.is_demo}
    rows += _published_rows(comparable, protocol, modality)
    return sorted(rows, key=lambda row: (_dataset_place(row.dataset), _method_place(row.method), row.is_published))


def _row(name: str, runs: Sequence[Run], modality: str) -> TableRow:
    values: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for mean in run.results.means_of_draws:
            for metric, value in mean.get(modality, {}).items():
                if value is not None:
                    values[metric].append(value)
    return TableRow(
        dataset=dataset_title(runs[0]),
        method=name,
        backbone=backbone_in_tables(runs[0]),
        runs=len(runs),
        training_classes=_distinct(run.record.training_class for run in runs),
        seeds=_distinct(run.record.seed for run in runs),
        metrics={metric: summarize(of_metric) for metric, of_metric in values.items()},
        supervision=runs[0].results.protocol.supervision,
        draws=runs[0].record.draws,
        notes=(*run_notes(runs), *partial_notes(runs, modality)),
    )


def _published_rows(titles: set[str], protocol: str, modality: str) -> list[TableRow]:
    return [
        TableRow(
            dataset=DATASETS[row.dataset].title,
            method=row.method,
            backbone=PUBLISHED_BACKBONE,
            runs=None,
            training_classes=(),
            seeds=(),
            metrics={name: Summary(value, None) for name, value in row.metrics.items()},
            notes=row.notes,
        )
        for row in PUBLISHED
        if (row.protocol, row.modality) == (protocol, modality) and DATASETS[row.dataset].title in titles
    ]


def _distinct(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in values if value not in (None, "")}))


def _dataset_place(title: str) -> tuple[int, str]:
    titles = [dataset.title for dataset in DATASETS.values()]
    return (titles.index(title) if title in titles else len(titles), title)


def _method_place(method: str) -> tuple[int, str]:
    """Baselines first, then PointAD, then its variants."""
    order = ("CLIP + R.", "PointAD-CoOp", "PointAD")
    return (order.index(method) if method in order else len(order), method)
