"""How far a stage has come, kept on disk: an interrupted pre-training goes on as if it had not been."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pointad.compute.processes import ALONE, Processes
from pointad.errors import InputError
from pointad.files.atomic import remove_file
from pointad.files.torch_files import read_kept_state, write_torch_file
from pretraining.batches import Batches

_PARTS: dict[str, type] = {"recipe": dict, "step": int, "parts": dict, "optimizer": dict, "batches": list}
_KIND, _REMEDY = "the progress of a pre-training", "remove it to start afresh"


def refuse_progress_of_others(path: Path, recipe: dict[str, Any]) -> None:
    """Refuse to write over how far another run has come, which may be hours of work.

    Args:
        path: the file of an interrupted run; need not exist.
        recipe: of the whole run that is about to start. A stage's own may lack some of it, and name more.

    Raises:
        InputError: the file is another run's.
    """
    kept = read_kept_state(path, _PARTS, kind=_KIND, remedy=_REMEDY)
    if kept is None:
        return
    told, own = ({"start_from": "", **one} for one in (kept["recipe"], recipe))
    others = sorted(name for name in own if name in told and told[name] != own[name])
    if others:
        problem = f"is how far an interrupted run with another {' and '.join(others)} has come"
        raise InputError(path, problem, "continue that run, take another --pictures, or remove the file")


@dataclass(frozen=True)
class Progress:
    """The file of a run and who writes it.

    All processes hold the same weights; only their random numbers and the pictures that they have left differ.
    """

    path: Path
    recipe: dict[str, Any]  # all that decides what the weights become; a file of another recipe does not serve
    processes: Processes = ALONE

    def is_there(self) -> bool:
        """Whether there is a file of this recipe."""
        return self._read() is not None

    def load(self, parts: dict[str, nn.Module], optimizer: torch.optim.Optimizer, batches: Batches) -> int:
        """Bring everything to where the file left it.

        Args:
            parts: the modules that learn or follow, by name.
            optimizer: of their parameters.
            batches: what the modules learn from.

        Returns:
            How many steps have been taken: 0 without a file of this recipe.
        """
        kept = self._read()
        if kept is None:
            return 0
        for name, part in parts.items():
            part.load_state_dict(kept["parts"][name])
        optimizer.load_state_dict(kept["optimizer"])
        batches.set_state(kept["batches"][self.processes.rank])
        return int(kept["step"])

    def save(self, step: int, parts: dict[str, nn.Module], optimizer: torch.optim.Optimizer, batches: Batches) -> None:
        """Write what `load` reads; called by all processes after the same step.

        Raises:
            InputError: the file cannot be written.
        """
        states = self.processes.gather(batches.state())
        if self.processes.is_first:
            kept = {
                "recipe": self.recipe,
                "step": step,
                "parts": {name: part.state_dict() for name, part in parts.items()},
                "optimizer": optimizer.state_dict(),
                "batches": states,
            }
            write_torch_file(kept, self.path)

    def remove(self) -> None:
        """The run has ended."""
        if self.processes.is_first:
            remove_file(self.path)

    def _read(self) -> dict[str, Any] | None:
        """The file's content, if it is of this recipe."""
        kept = read_kept_state(self.path, _PARTS, kind=_KIND, remedy=_REMEDY)
        return None if kept is None or kept["recipe"] != self.recipe else kept
