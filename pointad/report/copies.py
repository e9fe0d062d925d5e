"""Runs that are found twice, such as those of a folder and of its backup."""

from collections.abc import Sequence

from pointad.report.grouping import methods
from pointad.report.protocol_tables import run_protocol
from pointad.report.runs import Run


def without_copies(runs: Sequence[Run]) -> list[Run]:
    """The same runs, each once: those left out hold the same figures of the same run as another, which is logged."""
    by_protocol: dict[str, list[Run]] = {}
    for run in runs:
        by_protocol.setdefault(run_protocol(run), []).append(run)
    kept = {run.place for own in by_protocol.values() for _, group in methods(own) for run in group}
    return [run for run in runs if run.place in kept]
