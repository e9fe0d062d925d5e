"""The image encoder's features as the pre-training needs them: of cut-outs too, and of tokens on the way."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from open_clip.transformer import VisionTransformer
from torch import Tensor

from pointad.model.vision import doubled_block_count


@dataclass(frozen=True)
class PictureFeatures:
    """Features of B pictures; P patches in row-major order."""

    global_features: Tensor  # (B, D)
    patch_features: Tensor  # (B, L, P, D) of the local path after the blocks asked for
    tokens: tuple[Tensor, ...]  # (B, P, width) each: the original path's patches after the other blocks asked for


def picture_features(
    visual: VisionTransformer,
    images: Tensor,
    *,
    corner: tuple[int, int] = (0, 0),
    blocks: tuple[int, ...],
    token_blocks: tuple[int, ...] = (),
) -> PictureFeatures:
    """What `pointad.model.vision.encode_images` computes, for whole pictures and for cut-outs at a place of the grid.

    On CPUs attention is written out: PyTorch's fused one is slow backwards there.

    Args:
        visual: the image encoder.
        images: (B, 3, S, S) normalized; S is a multiple of the patch's side.
        corner: row and column of the cut-outs' first patch in the grid of whole pictures.
        blocks: counted from 1, those whose local features are wanted.
        token_blocks: those whose tokens are wanted.
    """
    patches = visual.conv1(images)
    rows, columns = patches.shape[-2:]
    positions = visual.positional_embedding[1:].unflatten(0, visual.grid_size)
    positions = positions[corner[0] : corner[0] + rows, corner[1] : corner[1] + columns].flatten(0, 1)
    first = (visual.class_embedding + visual.positional_embedding[0]).expand(len(images), 1, -1)
    original = visual.ln_pre(torch.cat([first, patches.flatten(2).transpose(1, 2) + positions], dim=1))
    local = original
    local_features, tokens = [], []
    depth = len(visual.transformer.resblocks)
    for number, block in enumerate(visual.transformer.resblocks, start=1):
        doubled = number > depth - doubled_block_count(depth)
        attention = block.attn
        width = original.shape[-1]
        projected = F.linear(block.ln_1(original), attention.in_proj_weight, attention.in_proj_bias)
        heads = projected.unflatten(-1, (3, attention.num_heads, width // attention.num_heads))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        if doubled:
            local = local + attention.out_proj(_attend(value, value, value))
        original = original + attention.out_proj(_attend(query, key, value))
        original = original + block.mlp(block.ln_2(original))
        if not doubled:
            local = original
        if number in blocks:
            local_features.append(visual.ln_post(local[:, 1:]) @ visual.proj)
        if number in token_blocks:
            tokens.append(original[:, 1:])
    return PictureFeatures(
        visual.ln_post(original[:, 0]) @ visual.proj, torch.stack(local_features, dim=1), tuple(tokens)
    )


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(B, heads, T, d) each to (B, T, heads · d)."""
    if query.is_cuda:
        return F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    weights = (query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)).softmax(dim=-1)
    return (weights @ value).transpose(1, 2).flatten(2)
