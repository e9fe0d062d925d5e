"""What a detector is made of: a frozen CLIP and the features of two prompts that belong to it."""

from typing import Any

import torch

from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone


def check_parts(backbone: Any, text_features: Any) -> None:
    """Refuse what is no backbone, or text features of another one.

    Args:
        backbone: the frozen CLIP.
        text_features: (2, D), normal and anomalous.

    Raises:
        InputError: one is of another kind, shape or device, or holds values that are not finite.
    """
    if not isinstance(backbone, ClipBackbone):
        remedy = "give what pointad.model.backbone.load_backbone returned, or use PointAD.from_checkpoint"
        raise InputError("backbone", f"is a {type(backbone).__name__}", remedy)
    if not isinstance(text_features, torch.Tensor):
        raise InputError("text features", f"are a {type(text_features).__name__}", "give a tensor")
    expected, shape = (2, backbone.embedding_dim), tuple(text_features.shape)
    if shape != expected or not text_features.is_floating_point():
        problem = f"are {text_features.dtype} of shape {shape}"
        raise InputError("text features", problem, f"give floating-point numbers of shape {expected}")
    if not text_features.isfinite().all():
        raise InputError("text features", "hold values that are not finite", "make them again from the prompts")
    device = next(backbone.parameters()).device
    if text_features.device != device:
        raise InputError("text features", f"are on {text_features.device}, the backbone on {device}", "move them there")
