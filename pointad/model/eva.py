"""Pictures to features with the image encoder of EVA02-CLIP: the second path for timm's blocks with rotary positions.

The same idea as in ``pointad.model.vision``: along the original path the blocks are timm's own; the local path adds
``proj(norm(softmax(v vᵀ / √d) v))`` of each doubled block without an MLP. Values carry no rotary positions, so neither
does their product. Source of the blocks: ``timm.models.eva`` (EVA-02, Fang et al. 2023).
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from open_clip.timm_model import TimmModel
from torch import Tensor

from pointad.errors import InputError
from pointad.model.vision import ImageFeatures, check_layers, doubled_block_count

# Pre-normalized blocks with separate projections for queries, keys and values; EVA02-E and EVA01 have others.
SUPPORTED_TRUNKS = (
    "eva02_base_patch16_clip_224",
    "eva02_large_patch14_clip_224",
    "eva02_large_patch14_clip_336",
)


def encode_eva_images(visual: TimmModel, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
    """Encode pictures along both paths; arguments and result as in ``pointad.model.vision.encode_images``.

    Args:
        visual: open_clip's wrapper around one of ``SUPPORTED_TRUNKS``.
        images: (B, 3, S, S) floating point, normalized, S the model's native side: its rotary positions fit no other.
        layers: blocks, counted from 1, whose patch features are returned; the last one if None.

    Raises:
        InputError: the pictures have a different side, or a layer does not exist.
    """
    trunk = visual.trunk
    if tuple(images.shape[-2:]) != tuple(visual.image_size):
        raise InputError(
            f"image size {images.shape[-2]} × {images.shape[-1]}",
            "this image encoder's rotary positions only fit its native image size",
            f"choose --image_size {visual.image_size[0]}",
        )
    layers = check_layers(layers, len(trunk.blocks))
    first_doubled = len(trunk.blocks) - doubled_block_count(len(trunk.blocks)) + 1
    original, rotary = trunk._pos_embed(trunk.patch_embed(images))  # (B, 1 + P, width)
    original = local = trunk.norm_pre(original)
    patch_features = {}
    for number, block in enumerate(trunk.blocks, start=1):
        update = _value_attention(block, original) if number >= first_doubled else None
        original = block(original, rope=rotary)
        local = original if update is None else local + update
        if number in layers:
            patch_features[number] = _project(visual, local[:, 1:])
    return ImageFeatures(
        global_features=_project(visual, original[:, 0]),
        patch_features=torch.stack([patch_features[layer] for layer in layers], dim=1),
    )


def _value_attention(block: Any, tokens: Tensor) -> Tensor:
    """What a block adds to the local path, (B, 1 + P, width)."""
    attention = block.attn
    values = attention.v_proj(block.norm1(tokens)).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
    attended = F.scaled_dot_product_attention(values, values, values).transpose(1, 2).flatten(2)
    update = attention.proj(attention.norm(attended))
    return update if block.gamma_1 is None else block.gamma_1 * update


def _project(visual: TimmModel, tokens: Tensor) -> Tensor:
    """Project into the joint embedding space of pictures and texts, (..., D)."""
    trunk = visual.trunk
    return visual.head(trunk.head(trunk.fc_norm(trunk.norm(tokens))))
