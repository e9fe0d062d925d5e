"""What a detector is made of: a frozen CLIP and the features of two prompts that belong to it."""

from typing import Any

import torch

from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.text import have_directions, same_for_both


def check_parts(backbone: Any, text_features: Any) -> None:
    """Refuse what is no backbone, or text features of another one.

    Args:
        backbone: the frozen CLIP.
        text_features: (2, D), normal and anomalous.

    Raises:
        InputError: one is of another kind, shape, precision or device, or the features have no directions, or do not
            differ.
    """
    if not isinstance(backbone, ClipBackbone):
        remedy = "give what pointad.model.backbone.load_backbone returned, or use PointAD.from_checkpoint"
        raise InputError("backbone", f"is a {type(backbone).__name__}", remedy)
    if not isinstance(text_features, torch.Tensor):
        raise InputError("text features", f"are a {type(text_features).__name__}", "give a tensor")
    expected, shape = (2, backbone.embedding_dim), tuple(text_features.shape)
    if shape != expected or text_features.dtype != torch.float32:
        problem = f"are {text_features.dtype} of shape {shape}"
        raise InputError("text features", problem, f"give torch.float32 of shape {expected}")
    if not have_directions(text_features):
        problem = "hold values that are not finite, or have no direction"
        raise InputError("text features", problem, "make them again from the prompts")
    if same_for_both(text_features):
        problem = "are the same for the normal and the anomalous prompt, so that every score would be 0.5"
        raise InputError("text features", problem, "give prompts that differ")
    device, held = next(backbone.parameters()).device, {parameter.dtype for parameter in backbone.parameters()}
    if held != {torch.float32}:
        remedy = "give it in torch.float32; `precision` says what is computed in 16 bits"
        raise InputError("backbone", f"holds {', '.join(sorted(map(str, held)))} numbers", remedy)
    if text_features.device != device:
        raise InputError("text features", f"are on {text_features.device}, the backbone on {device}", "move them there")
