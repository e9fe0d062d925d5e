"""A model with the weights of a file, no more and no less."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.model.architecture import Configuration, build
from pointad.model.siglip_model import is_siglip
from pointad.model.towers import ImageTower, has_square_patches, patch_size

LARGEST_SIDE = (
    1024  # of a model's own pictures, which may need far more memory than its weights; published ones have 512
)
MOST_PATCHES = 128  # a side; published ones have 32
_SCALARS = ("logit_scale", "logit_bias")  # stored as () or (1,)


def build_with(configuration: Configuration, state: dict[str, Tensor], path: Path) -> nn.Module:
    """A model with exactly the weights of a file: none missing, none left over.

    Raises:
        InputError: the file's weights are those of another model.
    """
    other_model = "name the model that these weights belong to, or none for a file of OpenAI's format"
    # Drawing random weights first would take longer than reading these, and a configuration may claim any size.
    try:
        model = build(configuration, device="meta")
    except (AssertionError, ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(path, f"no model has these dimensions ({error})", other_model) from error
    own = model.state_dict()
    state = _with_scalars_of(own, state)
    counted = sorted(name for name in own.keys() & state.keys() if not state[name].is_floating_point())
    if counted:
        problem = f"its '{counted[0]}' holds {str(state[counted[0]].dtype).removeprefix('torch.')} values, not floats"
        raise InputError(path, problem, "give floating-point weights")
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    different = sorted(name for name in own.keys() & state.keys() if own[name].shape != state[name].shape)
    if missing or unexpected or different:
        name = (different or missing or unexpected)[0]
        held = f"{tuple(state[name].shape)}" if name in state else "nothing"
        wanted = f"{tuple(own[name].shape)}" if name in own else "nothing"
        raise InputError(
            path,
            f"weights of another model: its {name} is {held}, expected {wanted}",
            other_model,
        )
    _check_side(cast(ImageTower, model.visual), path)
    if "timm_model_name" in configuration["vision_cfg"] and not is_siglip(configuration):
        model = build(configuration)  # no file holds EVA02's rotary positions
    model.load_state_dict(state, assign=True)
    return model


def _with_scalars_of(own: Mapping[str, Tensor], state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with the scalars of the loss in the form that the model has them; nothing is computed with these."""
    kept = {name: entry for name, entry in state.items() if name != "logit_bias" or name in own}
    if "logit_bias" in own:  # another loss has none
        kept.setdefault("logit_bias", torch.zeros(()))
    scalars = {name: kept[name].reshape(()) for name in _SCALARS if name in kept and kept[name].numel() == 1}
    return {**kept, **scalars}


def _check_side(vision: ImageTower, path: Path) -> None:
    sides, pixels = cast(tuple[int, int], tuple(vision.image_size)), patch_size(vision)
    if sides[0] != sides[1] or not has_square_patches(vision):
        problem = f"is a model for pictures of {sides[0]} x {sides[1]} pixels, or for patches, that are no squares"
        raise InputError(path, problem, "give a model for square pictures in square patches")
    side = sides[0]
    if side < 1:
        raise InputError(path, f"is a model for pictures of {side} x {side} pixels", "give the size of its pictures")
    if side > LARGEST_SIDE or side > MOST_PATCHES * pixels:
        raise InputError(
            path,
            f"is a model for pictures of {side} x {side} pixels in patches of {pixels} x {pixels}",
            f"give a model for at most {LARGEST_SIDE} pixels and {MOST_PATCHES} patches a side",
        )
