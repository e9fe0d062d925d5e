"""Gathers runs into the paper's tables: mean ± standard deviation over training classes and seeds, by protocol."""

import logging
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pointad.datasets.registry import DATASETS
from pointad.evaluation.results import MODALITY_TITLES
from pointad.report.methods import method_name
from pointad.report.published import PUBLISHED, PUBLISHED_BACKBONE
from pointad.report.runs import RESULTS_NAME, Run

PROTOCOLS = ("one-vs-rest", "cross-dataset")
OTHER = ""  # runs whose protocol is not known
PROTOCOL_TITLES = {"one-vs-rest": "One-vs-rest", "cross-dataset": "Cross-dataset", OTHER: "Other runs"}
TABLE_METRICS = ("image_auroc", "image_ap", "pixel_auroc", "pixel_aupro")

_log = logging.getLogger(__name__)


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

    @property
    def title(self) -> str:
        """The caption."""
        protocol, modality = PROTOCOL_TITLES.get(self.protocol, self.protocol), MODALITY_TITLES[self.modality].lower()
        return f"{protocol}, {modality}"


def protocol_tables(runs: Iterable[Run], modalities: Sequence[str] = ("point", "fused")) -> list[ProtocolTable]:
    """Make one table for each protocol and modality that any run has.

    A run without a protocol that learned nothing (prompt ensemble) joins every protocol of its data set. Of several
    runs with the same method, data set, training class and seed the newest counts. Published figures stand beside runs
    on the data set that they were measured on, unless only the demo backbone was run on it.

    Args:
        runs: in any order.
        modalities: which tables are wanted.
    """
    runs = _newest_of_repeated(runs)
    tables = []
    others = sorted({run_protocol(run) for run in runs} - {*PROTOCOLS, OTHER})
    for protocol in (*PROTOCOLS, *others, OTHER):
        of_protocol = _runs_of_protocol(runs, protocol)
        for modality in modalities:
            rows = _rows(of_protocol, protocol, modality)
            if rows:
                present = {name for row in rows for name in row.metrics}
                columns = [*TABLE_METRICS, *sorted(present - set(TABLE_METRICS))]
                tables.append(ProtocolTable(protocol, modality, rows, columns))
    return tables


def summarize(values: Sequence[float]) -> Summary:
    """Mean and sample standard deviation of at least one value."""
    return Summary(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def dataset_title(run: Run) -> str:
    """The data set's name in tables."""
    name = run.facts.get("dataset") or "unknown data set"
    return str(run.facts.get("dataset_title") or (DATASETS[name].title if name in DATASETS else name))


def run_protocol(run: Run) -> str:
    """The protocol of a run, or "" when it is not known."""
    return str(run.facts.get("protocol") or OTHER)


def _backbone(run: Run) -> str:
    name = str(run.facts.get("backbone") or "unknown")
    return f"{name} (demo)" if run.facts.get("is_demo") and "demo" not in name.lower() else name


def _identity(run: Run) -> tuple[str, ...]:
    facts = run.facts
    origin = (str(facts.get("training_dataset") or ""), str(facts.get("training_class") or ""), str(facts.get("seed")))
    return (run_protocol(run), dataset_title(run), method_name(facts), _backbone(run), *origin)


def _newest_of_repeated(runs: Iterable[Run]) -> list[Run]:
    newest: dict[tuple[str, ...], Run] = {}
    for run in sorted(runs, key=_time_of_writing):
        identity = _identity(run)
        if identity in newest:
            _log.warning("%s repeats %s; the newer one counts", run.folder, newest[identity].folder)
        newest[identity] = run
    return list(newest.values())


def _time_of_writing(run: Run) -> float:
    path = run.folder / RESULTS_NAME
    return path.stat().st_mtime if path.is_file() else 0.0


def _runs_of_protocol(runs: Sequence[Run], protocol: str) -> list[Run]:
    """Runs of the protocol, and those of the prompt ensemble on the same data sets."""
    own = [run for run in runs if run_protocol(run) == protocol and not _joins_others(run, runs)]
    datasets = {dataset_title(run) for run in own}
    return own + [run for run in runs if _joins_others(run, runs) and protocol and dataset_title(run) in datasets]


def _joins_others(run: Run, runs: Sequence[Run]) -> bool:
    """Whether a run without protocol belongs to those of its data set."""
    if run_protocol(run) != OTHER or run.facts.get("prompts") != "ensemble":
        return False
    return any(run_protocol(other) != OTHER and dataset_title(other) == dataset_title(run) for other in runs)


def _rows(runs: Sequence[Run], protocol: str, modality: str) -> list[TableRow]:
    groups: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        if modality in run.results.modalities:
            groups[dataset_title(run), method_name(run.facts), _backbone(run)].append(run)
    rows = [_row(title, method, backbone, group, modality) for (title, method, backbone), group in groups.items()]
    comparable = {title for (title, _, _), group in groups.items() if not group[0].facts.get("is_demo")}
    rows += _published_rows(comparable, protocol, modality)
    return sorted(rows, key=lambda row: (_dataset_place(row.dataset), _method_place(row.method), row.is_published))


def _row(title: str, method: str, backbone: str, runs: Sequence[Run], modality: str) -> TableRow:
    values: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, value in run.results.mean[modality].items():
            if value is not None:
                values[name].append(value)
    return TableRow(
        dataset=title,
        method=method,
        backbone=backbone,
        runs=len(runs),
        training_classes=_distinct(run.facts.get("training_class") for run in runs),
        seeds=_distinct(run.facts.get("seed") for run in runs),
        metrics={name: summarize(of_metric) for name, of_metric in values.items()},
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
