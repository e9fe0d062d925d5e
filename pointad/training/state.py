"""A training on disk, so that one that was interrupted goes on as if nothing had happened."""

from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.files.torch_files import check_finite, is_state, read_torch_file, write_torch_file


def save_training_state(path: Path, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write what :meth:`pointad.training.training.Training.state` gives, and what the training learns from.

    Args:
        path: the file.
        state: of the training.
        facts: what must be the same when it goes on: settings and data, as numbers, texts and lists of them.

    Raises:
        InputError: the file cannot be written.
    """
    write_torch_file({"state": state, "facts": facts}, path)


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
    stored = read_torch_file(path, kind="the state of a training", remedy=remedy)
    state, told = (stored.get("state"), stored.get("facts")) if isinstance(stored, dict) else (None, None)
    if not isinstance(state, dict) or not isinstance(told, dict):
        raise InputError(path, "not the state of a training", remedy)
    if is_state(state.get("learner")):
        check_finite(state["learner"], path)
    for name in sorted(facts.keys() | told.keys()):
        if facts.get(name) != told.get(name):
            problem = f"comes from a training with another {name} ({told.get(name)}, now {facts.get(name)})"
            raise InputError(path, problem, remedy)
    return state
