"""Which runs are repetitions of one method, and what the methods are called where their names alone would not tell."""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pointad.evaluation.run_record import RunRecord
from pointad.report.methods import distinct_names, identity, method_name
from pointad.report.runs import Run

logger = logging.getLogger(__name__)


def methods(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """Runs by method: those of one group differ in seed, training class and place only.

    No run is left out. One that repeats another with the same figures is counted once, which is said; repetitions with
    other figures, which must differ in something that is not recorded, become groups of their own.

    Args:
        runs: of one protocol, in any order.

    Returns:
        the name of each group, different for all groups on the same data set with the same backbone, and its runs.
    """
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: str(run.folder)):
        groups[repr(sorted(identity(run.record).items()))].append(run)
    by_column: dict[tuple[object, ...], list[list[Run]]] = defaultdict(list)
    for group in groups.values():
        by_column[_column(group[0].record)].append(group)
    found: list[tuple[str, list[Run]]] = []
    for groups_of_column in by_column.values():
        records = [group[0].record for group in groups_of_column]
        names = distinct_names([method_name(record) for record in records], [identity(record) for record in records])
        for name, group in zip(names, groups_of_column, strict=True):
            found += _by_place(name, group)
    return found


def _column(record: RunRecord) -> tuple[object, ...]:
    """What tables say beside the method."""
    return (record.dataset, record.dataset_title, record.backbone, record.is_demo)


def _by_place(name: str, runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """The runs of one method, with those that repeat others in groups of their own."""
    rounds: list[dict[tuple[object, ...], Run]] = []
    for run in runs:
        record = run.record
        repetition = (record.training_dataset, record.training_class, record.seed)
        twin = next((each[repetition] for each in rounds if _same(each.get(repetition), run)), None)
        if twin is not None:
            logger.warning("%s and %s hold the same figures of the same run; they count once", twin.folder, run.folder)
            continue
        free = next((each for each in rounds if repetition not in each), None)
        if free is None:
            free = {}
            rounds.append(free)
        free[repetition] = run
    if len(rounds) == 1:
        return [(name, list(rounds[0].values()))]
    return [(f"{name}, in {_place(list(each.values()))}", list(each.values())) for each in rounds]


def _same(one: Run | None, other: Run) -> bool:
    return one is not None and one.results.classes == other.results.classes


def _place(runs: Sequence[Run]) -> str:
    """The folder that holds all of the runs."""
    common = os.path.commonpath([run.folder for run in runs])
    return os.path.relpath(common) if Path(common).is_absolute() else common
