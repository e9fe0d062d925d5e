"""Pictures to features with SigLIP's image encoder: the second path for timm's blocks without a class token.

The same idea as in ``pointad.model.vision``: along the original path the blocks are timm's own; the local path adds
``proj(softmax(v vᵀ / √d) v)`` of each doubled block without an MLP, and starts as the input of the first doubled block.

SigLIP reads out no class token: a pooling head attends with a learned query from all patches at once, and its MLP leads
into the joint embedding space. The global feature is that of all patches of the original path, as trained. The feature
of a patch is what the same head gives for that patch of the local path alone: attention over a single token is that
token, whatever the query, so what remains are the head's value and output projections and its MLP. This is the
counterpart of CLIP's ``ln_post(x) @ proj``, which also treats a patch like the class token. Source of the blocks and of
the head: ``timm.models.vision_transformer`` and ``timm.layers.AttentionPoolLatent`` (SigLIP, Zhai et al. 2023).
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from pointad.model.vision import (
    ImageFeatures,
    check_layers,
    check_picture_size,
    doubled_block_count,
    interpolate_patch_positions,
)


class SiglipVision(nn.Module):
    """SigLIP's image encoder under open_clip's names of its entries; called on pictures, it gives global features.

    Args:
        trunk: timm's vision transformer without a class token, with the pooling head "map" and no classifier.
    """

    def __init__(self, trunk: VisionTransformer) -> None:
        super().__init__()
        self.trunk = trunk

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the pictures it was trained with, in whole patches: 378 for ``siglip_384`` with 14."""
        patches, pixels = self.trunk.patch_embed.grid_size, self.trunk.patch_embed.patch_size
        return patches[0] * pixels[0], patches[1] * pixels[1]

    def forward(self, images: Tensor) -> Tensor:
        """Global features (B, D) of normalized pictures (B, 3, S, S) of the native side."""
        return self.trunk(images)


def encode_siglip_images(visual: SiglipVision, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
    """Encode pictures along both paths; arguments, result and errors as in ``pointad.model.vision.encode_images``."""
    trunk = visual.trunk
    layers = check_layers(layers, len(trunk.blocks))
    first_doubled = len(trunk.blocks) - doubled_block_count(len(trunk.blocks)) + 1
    original = local = _embed(trunk, images)  # (B, P, width)
    patch_features = {}
    for number, block in enumerate(trunk.blocks, start=1):
        update = _value_attention(block, original) if number >= first_doubled else None
        original = block(original)
        local = original if update is None else local + update
        if number in layers:
            patch_features[number] = _pool_each(trunk.attn_pool, trunk.norm(local))
    return ImageFeatures(
        global_features=trunk.attn_pool(trunk.norm(original)),
        patch_features=torch.stack([patch_features[layer] for layer in layers], dim=1),
    )


def _embed(trunk: VisionTransformer, images: Tensor) -> Tensor:
    """Embeddings of the patches with their positions, (B, P, width)."""
    check_picture_size(images, trunk.patch_embed.patch_size)
    patches = trunk.patch_embed.proj(images)  # (B, width, rows, columns)
    grid = tuple(patches.shape[-2:])
    assert trunk.pos_embed is not None  # SigLIP's always has one
    positions = interpolate_patch_positions(trunk.pos_embed[0], trunk.patch_embed.grid_size, grid)
    return patches.flatten(2).transpose(1, 2) + positions.to(patches.dtype)


def _value_attention(block: Any, tokens: Tensor) -> Tensor:
    """What a block adds to the local path, (B, P, width)."""
    attention = block.attn
    values = _last_part(attention.qkv, block.norm1(tokens)).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
    attended = F.scaled_dot_product_attention(values, values, values).transpose(1, 2).flatten(2)
    return block.ls1(attention.proj(attended))


def _pool_each(pool: Any, tokens: Tensor) -> Tensor:
    """The pooling head on every token alone, (B, P, width) to (B, P, D)."""
    pooled = pool.proj(_last_part(pool.kv, tokens))
    return pooled + pool.mlp(pool.norm(pooled))


def _last_part(joined: nn.Linear, tokens: Tensor) -> Tensor:
    """The values alone, from a layer that computes (queries,) keys and values at once."""
    width = tokens.shape[-1]
    return F.linear(tokens, joined.weight[-width:], joined.bias[-width:])
