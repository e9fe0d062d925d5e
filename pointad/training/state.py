"""The training state on disk, from which an interrupted training continues exactly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.files.torch_files import check_finite, is_state, read_kept_state, write_torch_file


def save_training_state(path: Path, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write the result of :meth:`pointad.training.training.Training.state`, and the facts about its settings and data.

    Args:
        path: the file.
        state: of the training.
        facts: what must be the same on continuation: settings and data, as numbers, strings and lists of them.

    Raises:
        InputError: the file cannot be written.
    """
    write_torch_file({"state": state, "facts": facts}, path)


START_AFRESH = "train with --restart to start afresh"
_NEWER = ("init_fingerprint",)  # facts that older versions did not store: their trainings continue all the same


def load_training_state(
    path: Path, facts: dict[str, Any], names: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Read what :func:`save_training_state` wrote; None if the file does not exist.

    Args:
        path: the file.
        facts: the current ones.
        names: the flags of facts, by the facts' names, if they differ.

    Raises:
        InputError: the file cannot be read, or belongs to a training with other settings or data.
    """
    parts = {"state": dict, "facts": dict}
    stored = read_kept_state(path, parts, kind="the state of a training", remedy=START_AFRESH)
    if stored is None:
        return None
    state, told = stored["state"], stored["facts"]
    if is_state(state.get("learner")):
        check_finite(state["learner"], path)
    differences = [
        f"another {name} ({(names or {}).get(name, f'--{name}')}: {told.get(name)}, now {facts.get(name)})"
        for name in sorted(facts.keys() | told.keys())
        if facts.get(name) != told.get(name) and (name in told or name not in _NEWER)
    ]
    if differences:
        problem = f"comes from a training with {' and '.join(differences)}"
        raise InputError(path, problem, f"give the same flags to continue it, or {START_AFRESH}")
    return state
