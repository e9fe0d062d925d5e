"""Times several ways of doing one thing in turns, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """Medians over the rounds."""

    seconds: float  # of the clock
    core_seconds: float  # that the process spent on all cores together


def time_in_turns(ways: Mapping[str, Callable[[], object]], rounds: int, device: torch.device) -> dict[str, Timing]:
    """Run every way once for warming up, then ``rounds`` times in turns.

    Args:
        ways: name -> what is timed.
        rounds: how often.
        device: waited for before the clock is read.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            _wait_for(device)
            started, started_cores = time.perf_counter(), time.process_time()
            way()
            _wait_for(device)
            if number:
                taken[name].append((time.perf_counter() - started, time.process_time() - started_cores))
    return {
        name: Timing(*(statistics.median(column) for column in zip(*times, strict=True)))
        for name, times in taken.items()
    }


def peak_gigabytes(device: torch.device) -> str:
    """The most memory that tensors took on a GPU since the start; a dash elsewhere."""
    return f"{torch.cuda.max_memory_allocated(device) / 1e9:.2f} GB" if device.type == "cuda" else "–"


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
