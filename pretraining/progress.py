"""How far a stage has come, kept on disk: an interrupted pre-training goes on as if it had not been."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pointad.compute.processes import ALONE, Processes
from pointad.files.torch_files import read_kept_state, write_torch_file
from pretraining.batches import Batches


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
            self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any] | None:
        """The file's content, if it is of this recipe."""
        parts = {"recipe": dict, "step": int, "parts": dict, "optimizer": dict, "batches": list}
        kind, remedy = "the progress of a pre-training", "remove it to start afresh"
        kept = read_kept_state(self.path, parts, kind=kind, remedy=remedy)
        return None if kept is None or kept["recipe"] != self.recipe else kept
