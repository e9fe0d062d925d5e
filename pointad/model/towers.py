"""The supported image encoders behind one interface: open_clip's own, EVA02-CLIP's and SigLIP's.

To add another, write a file with an ``encode_…`` function of the same form, and add a line to each function here.
"""

from collections.abc import Sequence
from typing import TypeAlias

from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor

from pointad.model.eva import encode_eva_images
from pointad.model.siglip import SiglipVision, encode_siglip_images
from pointad.model.vision import ImageFeatures, encode_images

ImageTower: TypeAlias = VisionTransformer | TimmModel | SiglipVision


def encode_pictures(visual: ImageTower, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
    """Features of normalized pictures (B, 3, H, W); see ``pointad.model.vision.encode_images``."""
    if isinstance(visual, SiglipVision):
        return encode_siglip_images(visual, images, layers)
    if isinstance(visual, TimmModel):
        return encode_eva_images(visual, images, layers)
    return encode_images(visual, images, layers)


def patch_size(visual: ImageTower) -> int:
    """Side of a patch in pixels."""
    return int(_patch_sides(visual)[0])


def has_square_patches(visual: ImageTower) -> bool:
    """Whether patches are as high as wide."""
    height, width = _patch_sides(visual)
    return height == width


def _patch_sides(visual: ImageTower) -> Sequence[int]:
    return visual.patch_size if isinstance(visual, VisionTransformer) else visual.trunk.patch_embed.patch_size


def output_dim(visual: ImageTower) -> int:
    """Dimensions of the joint embedding space of pictures and texts."""
    if isinstance(visual, SiglipVision):
        return int(visual.trunk.num_features)  # the pooling head keeps the width
    return int(visual.trunk.num_classes if isinstance(visual, TimmModel) else visual.output_dim)


def depth(visual: ImageTower) -> int:
    """Number of blocks."""
    return len(visual.transformer.resblocks if isinstance(visual, VisionTransformer) else visual.trunk.blocks)


def width(visual: ImageTower) -> int:
    """Dimensions of a token inside the encoder."""
    return int(visual.transformer.width if isinstance(visual, VisionTransformer) else visual.trunk.embed_dim)
