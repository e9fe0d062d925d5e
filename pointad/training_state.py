"""A training on disk, so that one that was interrupted goes on as if nothing had happened."""

from pathlib import Path
from typing import Any

import torch

from pointad.atomic import atomic_path
from pointad.errors import InputError


def save_training_state(path: Path, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write what :meth:`pointad.training.Training.state` gives, and what the training learns from.

    Args:
        path: the file.
        state: of the training.
        facts: what must be the same when it goes on: settings and data, as numbers, texts and lists of them.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        torch.save({"state": state, "facts": facts}, temporary)


def load_training_state(path: Path, facts: dict[str, Any]) -> dict[str, Any] | None:
    """Read what :func:`save_training_state` wrote; None when there is nothing.

    Args:
        path: the file.
        facts: as they are now.

    Raises:
        InputError: the file cannot be read, or the training that it comes from learned from something else.
    """
    if not path.is_file():
        return None
    remedy = "train without --resume to start afresh"
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        state, told = stored["state"], stored["facts"]
    except Exception as error:  # a damaged file makes torch raise nearly anything
        raise InputError(path, "cannot be read as the state of a training", remedy) from error
    for name in sorted(facts.keys() | told.keys()):
        if facts.get(name) != told.get(name):
            problem = f"comes from a training with another {name} ({told.get(name)}, now {facts.get(name)})"
            raise InputError(path, problem, remedy)
    return state
