"""Runs as one tidy table, for pandas or a spreadsheet: a row for every class, modality and metric of every run.

A few-shot run has such rows for every draw of its good scans.
"""

from collections.abc import Sequence
from pathlib import Path

from pointad.evaluation.results import Metrics
from pointad.files.csv_tables import csv_text
from pointad.files.escaping import for_csv
from pointad.report.grouping import methods
from pointad.report.protocol_tables import run_protocol, runs_by_protocol
from pointad.report.runs import Run, dataset_title

# Facts of the run that every row repeats, by their names in results.json.
FACTS = (
    *("training_dataset", "training_class", "seed", "backbone", "is_demo", "prompts", "depth", "epoch"),
    *("view_fusion", "sigma", "fusion", "aupro", "image_size", "precision"),
)
COLUMNS = (
    *("run", "method", "dataset", "protocol", *FACTS, "views", "code", "revision"),
    *("supervision", "draw", "class", "trained_on", "modality", "metric", "value"),
)
_BEGINNING = ",".join(COLUMNS[:3]).encode()


def to_tidy_csv(runs: Sequence[Run]) -> str:
    """All runs as CSV; values are fractions at full precision, empty where a metric is undefined.

    ``method`` is the name of the run's row in the tables of its protocol, ``trained_on`` is 1 for the class that is
    excluded from means, and ``run`` is the folder, or the file of results that were renamed. ``supervision`` is
    zero-shot, 1-shot and so on; ``draw`` counts the draws of good scans from 1 and is empty for zero-shot figures.
    Copies of a run are left out, as in the tables.
    """
    names = _method_names(runs)
    lines: list[Sequence[object]] = [COLUMNS]
    for run in (run for run in runs if run.place in names):
        record = run.record
        told = [getattr(record, name) for name in FACTS]
        views = None if record.views is None else len(record.views)
        provenance = record.provenance
        code = (None, None) if provenance is None else (provenance.code, provenance.revision)
        about = [str(run.place), names[run.place], dataset_title(run), run_protocol(run), *told, views, *code]
        about.append(run.results.protocol.supervision)
        left_out = set(run.results.left_out)
        for draw, classes in _measured(run):
            for class_name, of_class in classes.items():
                trained_on = int(class_name in left_out)
                for modality, metrics in of_class.items():
                    for metric, value in metrics.items():
                        cells = [*about, draw, class_name, trained_on, modality, metric, value]
                        lines.append([_cell(cell) for cell in cells])
    return csv_text(lines)


def is_tidy_csv(path: Path) -> bool:
    """Whether a file is empty, or begins as such a table does, whichever version wrote it."""
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
    except OSError:
        return False
    return beginning in (b"", _BEGINNING)


def _measured(run: Run) -> list[tuple[int | None, dict[str, dict[str, Metrics]]]]:
    """The figures of every draw of good scans, with its number; those of the run itself where nothing was drawn."""
    draws = run.results.draws
    return [(number, draw.classes) for number, draw in enumerate(draws, 1)] or [(None, run.results.classes)]


def _method_names(runs: Sequence[Run]) -> dict[Path, str]:
    """The name of each run's method in the first tables that show it, by its place; copies of a run have none."""
    names: dict[Path, str] = {}
    for of_protocol in runs_by_protocol(runs).values():
        for name, group in methods(of_protocol):
            for run in group:
                names.setdefault(run.place, name)
    return names


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return for_csv(value) if isinstance(value, str) else value
