"""Whether a stored state is one that a training itself could hold now: everything else is refused before it is used."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pointad.errors import InputError, short
from pointad.files.torch_files import is_state
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.training.settings import TrainingSettings
from pointad.training.state import START_AFRESH
from pointad.training.terms import LOSS_TERMS
from pointad.training.training import adam

_PARTS = ("generator", "learner", "losses", "optimizer")
_FINGERPRINTS = ("samples", "content")  # what states of older versions lack, and what some of them have instead
_MOMENTS = ("exp_avg", "exp_avg_sq")


def check_training_state(
    state: Mapping[str, Any],
    path: str | Path,
    *,
    backbone: ClipBackbone,
    learner: PromptLearner,
    settings: TrainingSettings,
    samples: int,
) -> None:
    """Compare a stored state with this training, in names, shapes, dtypes, constants and hyperparameters.

    Args:
        state: from a file, see :meth:`pointad.training.training.Training.state`.
        path: the file, for the error.
        backbone: the CLIP of this training.
        learner: its prompts, from which the training would start afresh; they are not changed.
        settings: its hyperparameters.
        samples: their number.

    Raises:
        InputError: the state cannot be one of this training.
    """
    try:
        fingerprints = [name for name in _FINGERPRINTS if name in state]
        _check_names("the state", state, (*_PARTS, *fingerprints))
        for name in fingerprints:
            if type(state[name]) is not int:
                raise ValueError(f"'{name}' is not a whole number")
        _check_generator(state["generator"])
        _check_learner(state["learner"], learner, backbone)
        steps = _check_losses(state["losses"], -(-samples // settings.batch_size))
        _check_optimizer(state["optimizer"], learner, settings, steps)
    except ValueError as error:
        raise InputError(path, f"is not the state of such a training: {error}", START_AFRESH) from error


def _check_names(what: str, found: object, expected: Iterable[Any]) -> None:
    if not isinstance(found, Mapping):
        raise ValueError(f"{what} is not a dictionary")
    for name in expected:
        if name not in found:
            raise ValueError(f"{what} lacks '{name}'")
    others = found.keys() - set(expected)
    if others:
        raise ValueError(f"{what} has entries that it should not have, such as {_named(next(iter(others)))}")


def _named(name: object) -> str:
    return f"'{short(name, 60)}'" if isinstance(name, str) else f"one without a name ({type(name).__name__})"


def _check_tensor(what: str, entry: object, like: Tensor) -> Tensor:
    """A finite tensor of the same form."""
    if not isinstance(entry, Tensor):
        raise ValueError(f"{what} is not a tensor")
    if entry.shape != like.shape or entry.dtype != like.dtype:
        found, expected = (f"{tuple(each.shape)} {str(each.dtype)[6:]}" for each in (entry, like))
        raise ValueError(f"{what} is {found}, expected {expected}")
    if not entry.isfinite().all():
        raise ValueError(f"{what} holds values that are not finite")
    return entry


def _check_generator(entry: object) -> None:
    generator = torch.Generator()
    try:
        generator.set_state(_check_tensor("'generator'", entry, generator.get_state()))
    except RuntimeError as error:
        raise ValueError("'generator' is not the state of a random generator") from error


def _check_learner(entries: object, learner: PromptLearner, backbone: ClipBackbone) -> None:
    """The prompts, of which only the learned tokens may differ from the current ones."""
    own = learner.state_dict()
    _check_names("'learner'", entries, own)
    if not isinstance(entries, dict) or not is_state(entries):
        raise ValueError("'learner' holds more than tensors")
    learned = {name for name, entry in learner.named_parameters() if entry.requires_grad}
    for name, entry in own.items():
        stored = _check_tensor(f"'{name}'", entries[name], entry)
        if name not in learned and not torch.equal(stored, entry.cpu()):
            raise ValueError(f"'{name}' is not that of these prompts and this CLIP")
    moved = {name: entry.to(own[name].device) for name, entry in entries.items()}
    with torch.no_grad():
        features = torch.func.functional_call(learner, moved, (backbone.text,))
    if not features.isfinite().all():
        raise ValueError("its prompts are too large for the text encoder")


def _check_losses(epochs: object, steps: int) -> int:
    """The losses of every epoch; returns the number of all steps."""
    if not isinstance(epochs, list):
        raise ValueError("'losses' is not a list")
    form = torch.zeros(steps, len(LOSS_TERMS), dtype=torch.float64)
    for epoch, losses in enumerate(epochs, start=1):
        _check_tensor(f"'losses' of epoch {epoch}", losses, form)
    return len(epochs) * steps


def _check_optimizer(stored: object, learner: PromptLearner, settings: TrainingSettings, steps: int) -> None:
    """Adam's settings, which must be the current ones, and what it keeps for every learned tensor."""
    own = adam(learner, settings).state_dict()
    _check_names("'optimizer'", stored, own)
    assert isinstance(stored, Mapping)  # see above
    groups = stored["param_groups"]
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(groups[0], dict):
        raise ValueError("'optimizer' has not one group of parameters")
    _check_hyperparameters(groups[0], own["param_groups"][0])
    parameters = learner.learned_parameters()
    _check_names("'optimizer'", stored["state"], range(len(parameters)) if steps else ())
    for index, parameter in enumerate(parameters if steps else ()):
        kept = stored["state"][index]
        what = f"'optimizer' of parameter {index}"
        _check_names(what, kept, ("step", *_MOMENTS))
        if _check_tensor(f"{what}, 'step'", kept["step"], torch.zeros(())) != steps:
            raise ValueError(f"{what} has not taken the {steps} steps that have losses")
        for name in _MOMENTS:
            _check_tensor(f"{what}, '{name}'", kept[name], parameter)
        if kept["exp_avg_sq"].min() < 0:
            raise ValueError(f"{what}, 'exp_avg_sq' holds negative squares")


def _check_hyperparameters(stored: Mapping[Any, Any], own: Mapping[str, Any]) -> None:
    """Versions of torch know different switches, so that those which are off need not be named."""
    for name in own.keys() | stored.keys():
        found, expected = stored.get(name), own.get(name)
        parts = found if isinstance(found, list | tuple) else (found,)
        if any(isinstance(part, Tensor) for part in parts) or (found != expected and (found or expected)):
            raise ValueError(f"'optimizer' has another {_named(name)} than this training")
