"""The supported image encoders behind one interface: open_clip's own and EVA02-CLIP's.

To add another, write a file with an ``encode_…`` function of the same form, and add a line to each function here.
"""

from collections.abc import Sequence
from typing import TypeAlias

from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor

from pointad.model.eva import encode_eva_images
from pointad.model.vision import ImageFeatures, encode_images

ImageTower: TypeAlias = VisionTransformer | TimmModel


def encode_pictures(visual: ImageTower, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
    """Features of normalized pictures (B, 3, H, W); see ``pointad.model.vision.encode_images``."""
    if isinstance(visual, TimmModel):
        return encode_eva_images(visual, images, layers)
    return encode_images(visual, images, layers)


def patch_size(visual: ImageTower) -> int:
    """Side of a patch in pixels."""
    sides = visual.trunk.patch_embed.patch_size if isinstance(visual, TimmModel) else visual.patch_size
    return int(sides[0])


def output_dim(visual: ImageTower) -> int:
    """Dimensions of the joint embedding space of pictures and texts."""
    return int(visual.trunk.num_classes if isinstance(visual, TimmModel) else visual.output_dim)


def depth(visual: ImageTower) -> int:
    """Number of blocks."""
    return len(visual.trunk.blocks if isinstance(visual, TimmModel) else visual.transformer.resblocks)


def width(visual: ImageTower) -> int:
    """Dimensions of a token inside the encoder."""
    return int(visual.trunk.embed_dim if isinstance(visual, TimmModel) else visual.transformer.width)
