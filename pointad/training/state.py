"""The training state on disk, from which an interrupted training continues exactly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointad.errors import InputError, short
from pointad.evaluation.run_record import unlike
from pointad.files.torch_files import read_kept_state, write_torch_file


def save_training_state(path: Path, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write the result of :meth:`pointad.training.training.Training.state`, and the facts about its settings and data.

    Args:
        path: the file.
        state: of the training.
        facts: what must be the same on continuation: settings and data, as numbers, strings, and flat lists and
            dictionaries of them.

    Raises:
        InputError: the file cannot be written.
    """
    write_torch_file({"state": state, "facts": facts}, path)


START_AFRESH = "train with --restart to start afresh"
_KIND = "the state of a training"
_SHOWN = 60  # characters of a fact in an error
_WIDE = 2**64  # seeds are below
_NEWER = ("init_fingerprint",)  # facts that older versions did not store: their trainings continue all the same


def load_training_state(
    path: Path, facts: dict[str, Any], names: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Read what :func:`save_training_state` wrote; None if the file does not exist.

    Whether the state itself is one of the current training, `pointad.training.state_check` finds out.

    Args:
        path: the file.
        facts: the current ones.
        names: the flags of facts, by the facts' names, if they differ.

    Raises:
        InputError: the file cannot be read, or belongs to a training with other settings or data.
    """
    parts = {"state": dict, "facts": dict}
    stored = read_kept_state(path, parts, kind=_KIND, remedy=START_AFRESH)
    if stored is None:
        return None
    state, told = stored["state"], stored["facts"]
    if not all(isinstance(name, str) and _is_plain(value) for name, value in told.items()):
        raise InputError(path, f"not {_KIND} (its facts are not numbers, strings, and lists of them)", START_AFRESH)
    differences = [
        f"{short(name, _SHOWN)} ({short((names or {}).get(name, f'--{name}'), _SHOWN)}: "
        f"{_told(told.get(name))}, now {_told(facts.get(name))})"
        for name in unlike(told, facts)
        if name in told or name not in _NEWER
    ]
    if differences:
        problem = f"comes from a training that differs in {' and '.join(differences)}"
        raise InputError(path, problem, f"give the same flags to continue it, or {START_AFRESH}")
    return state


def _is_plain(value: object) -> bool:
    """Whether it is what a fact may be; one look deep, since shared containers may repeat without end."""
    if isinstance(value, dict):
        return all(isinstance(name, str) for name in value) and all(map(_is_single, value.values()))
    return all(map(_is_single, value)) if isinstance(value, list | tuple) else _is_single(value)


def _is_single(value: object) -> bool:
    return value is None or isinstance(value, bool | float | str) or (isinstance(value, int) and -_WIDE < value < _WIDE)


def _told(value: Any) -> str:
    """A fact in an error: the beginning of it where it is long."""
    if isinstance(value, dict):
        value = dict(list(value.items())[:_SHOWN])
    elif isinstance(value, list | tuple):
        value = value[:_SHOWN]
    return short(value, _SHOWN)
