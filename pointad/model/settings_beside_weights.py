"""What features depend on besides the weights: activation, attention heads, how exactly it is normalized."""

from collections.abc import Sequence

import open_clip
from open_clip.transformer import QuickGELU
from torch import nn

from pointad.model import towers
from pointad.model.architecture import OPENAI_HEAD_WIDTH
from pointad.model.text import TextTower
from pointad.model.towers import ImageTower

_USUAL = {((1e-5,), ()), ((1e-5,), ("none",))}  # of OpenAI's and LAION's models


def settings_beside_weights(
    vision: ImageTower, text: TextTower, mean: Sequence[float], std: Sequence[float]
) -> tuple[object, ...]:
    """Facts that differ between models of the same weights whose features differ; empty for those of OpenAI's models.

    Args:
        vision: the image encoder.
        text: the text encoder.
        mean, std: that pictures are normalized with.
    """
    both: tuple[nn.Module, nn.Module] = (vision, text)
    quick = any(isinstance(module, QuickGELU) for tower in both for module in tower.modules())
    found: tuple[object, ...] = quick, *map(_heads, both), tuple(mean), tuple(std)
    details = tuple(map(_details, both))
    if not _USUAL.issuperset(details):
        return *found, details
    heads = (max(1, width // OPENAI_HEAD_WIDTH) for width in (towers.width(vision), text.width))
    of_openai = True, *heads, tuple(open_clip.OPENAI_DATASET_MEAN), tuple(open_clip.OPENAI_DATASET_STD)
    return () if found == of_openai else found


def _heads(tower: nn.Module) -> int | None:
    """Attention heads of a tower's blocks, which all have as many."""
    heads = next((module.num_heads for module in tower.modules() if hasattr(module, "num_heads")), None)
    return heads if isinstance(heads, int) else None


def _details(tower: nn.Module) -> tuple[tuple[object, ...], ...]:
    """What is added to variances, and how GELU is computed, in all layers of a tower."""
    modules = list(tower.modules())
    return tuple(
        tuple(sorted({getattr(module, name) for module in modules if hasattr(module, name)}))
        for name in ("eps", "approximate")
    )
