"""Losses on the way, gathered and passed on now and then."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

# Gets the stage, the step, and the means of the losses since the last report with the "seconds" of this process so far.
Report = Callable[[str, int, dict[str, float]], None]


class Reporter:
    """Gathers losses and passes their means on now and then.

    Args:
        report: who is told; None tells nobody.
        every: steps between two reports.
    """

    def __init__(self, report: Report | None, every: int) -> None:
        self._report = report
        self._every = every
        self._history: list[Tensor] = []
        self._started = time.monotonic()

    def add(self, stage: str, step: int, steps: int, losses: dict[str, Tensor]) -> bool:
        """Note the losses of a step, counted from 0 of `steps`; whether it was time for a report."""
        self._history.append(torch.stack([value.detach().float() for value in losses.values()]))
        if (step + 1) % self._every and step + 1 < steps:
            return False
        means = torch.stack(self._history).mean(dim=0).tolist()  # a device is waited for here alone
        self._history.clear()
        if self._report is not None:
            seconds = time.monotonic() - self._started
            self._report(stage, step + 1, {**dict(zip(losses, means, strict=True)), "seconds": seconds})
        return True
