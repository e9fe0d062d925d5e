"""Runs that are found twice, such as those of a folder and of its backup."""

from collections.abc import Sequence

from pointad.report.grouping import methods
from pointad.report.protocol_tables import run_protocol
from pointad.report.runs import Run


def without_copies(runs: Sequence[Run]) -> list[Run]:
    """The same runs, each once: those left out hold the same figures of the same run as another, which is logged."""
    kept = set()
    for protocol in dict.fromkeys(map(run_protocol, runs)):
        found = methods([run for run in runs if run_protocol(run) == protocol])
        kept |= {run.place for _, group in found for run in group}
    return [run for run in runs if run.place in kept]
