"""Pictures to features: CLIP's vision transformer with a second, local path beside the original one.

Follows PointAD, section 3.2: the local path attends from values to values, so that a patch feature describes its own
patch instead of the whole picture. Everything is differentiable and works on any open_clip ``VisionTransformer``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor

from pointad.errors import InputError

# The method was tuned on ViT-L/14, where the last 19 of the 24 blocks have the local path.
REFERENCE_DEPTH = 24
REFERENCE_DOUBLED_BLOCKS = 19


@dataclass(frozen=True)
class ImageFeatures:
    """Features of B pictures, not normalized; L layers, P patches in row-major order, D joint dimensions."""

    global_features: Tensor  # (B, D), of the original path
    patch_features: Tensor  # (B, L, P, D), of the local path, in the order in which the layers were asked for


def doubled_block_count(depth: int) -> int:
    """How many of the last blocks of a transformer of that depth have the local path: 19 of every 24."""
    return max(1, round(depth * REFERENCE_DOUBLED_BLOCKS / REFERENCE_DEPTH))


def encode_images(visual: VisionTransformer, images: Tensor, layers: Sequence[int] | None = None) -> ImageFeatures:
    """Encode pictures along both paths.

    With ``h = ln_1(x)`` and ``q, k, v = qkv(h)`` of a doubled block, the original path is CLIP's own, and the local
    path adds ``out_proj(softmax(v vᵀ / √d) v)`` without an MLP. The local path starts as the input of the first
    doubled block; before it, both paths are one. Gradients flow to the pictures and to all weights that require them.

    Args:
        visual: an open_clip ``VisionTransformer`` (see ``pointad.model.architecture`` for what is refused).
        images: (B, 3, H, W) floating point, normalized with the model's mean and standard deviation; H and W are
            multiples of the patch size. For sizes other than the model's own, its positional embedding is
            interpolated.
        layers: blocks, counted from 1, whose patch features are returned; the last one if None.

    Returns:
        ImageFeatures: global features (B, D) and patch features (B, L, H / patch · W / patch, D).

    Raises:
        InputError: the size of the pictures does not fit the model, or a layer does not exist.
    """
    blocks = visual.transformer.resblocks
    layers = check_layers(layers, len(blocks))
    first_doubled = len(blocks) - doubled_block_count(len(blocks)) + 1

    original = _embed(visual, images)  # (B, 1 + P, width)
    local = original
    patch_features = {}
    for number, block in enumerate(blocks, start=1):
        if number < first_doubled:
            original = local = block(original)
        else:
            original, local = _doubled_block(block, original, local, only_class_token=number == len(blocks))
        if number in layers:
            patch_features[number] = _project(visual, visual.ln_post(local[:, 1:]))
    return ImageFeatures(
        global_features=_project(visual, visual.ln_post(original[:, 0])),
        patch_features=torch.stack([patch_features[layer] for layer in layers], dim=1),
    )


def check_layers(layers: Sequence[int] | None, depth: int) -> tuple[int, ...]:
    """The requested layers as a tuple, the last one if None.

    Raises:
        InputError: none is named, one is named twice, or one does not exist in a transformer of ``depth`` blocks.
    """
    layers = (depth,) if layers is None else tuple(layers)
    if not layers or any(not 1 <= layer <= depth for layer in layers):
        named = " ".join(map(str, layers)) or "none"
        raise InputError(f"layers {named}", f"the image encoder has blocks 1 to {depth}", "name one or more of these")
    if len(set(layers)) < len(layers):  # its map would count twice
        raise InputError(f"layers {' '.join(map(str, layers))}", "contain a block twice", "name every block once")
    return layers


def _doubled_block(
    block: ResidualAttentionBlock, original: Tensor, local: Tensor, *, only_class_token: bool
) -> tuple[Tensor, Tensor]:
    """One block on both paths, from a single product of queries, keys and values; (B, T, width) each.

    After the last block only the class token of the original path is read: ``only_class_token`` returns nothing else
    of it, (B, 1, width), which saves that block's MLP for all other tokens.
    """
    attention = block.attn
    batch, tokens, width = original.shape
    projected = F.linear(block.ln_1(original), attention.in_proj_weight, attention.in_proj_bias)  # (B, T, 3 · width)
    heads = projected.view(batch, tokens, 3, attention.num_heads, width // attention.num_heads)
    query, key, value = heads.permute(2, 0, 3, 1, 4)  # (B, heads, T, width / heads) each
    if only_class_token:
        query, original = query[:, :, :1], original[:, :1]
    kept = original.shape[1]
    attended = torch.cat(
        [
            F.scaled_dot_product_attention(query, key, value),
            F.scaled_dot_product_attention(value, value, value),
        ],
        dim=2,
    )  # (B, heads, kept + T, width / heads)
    update = block.ls_1(attention.out_proj(attended.transpose(1, 2).flatten(2)))
    original = original + update[:, :kept]
    original = original + block.ls_2(block.mlp(block.ln_2(original)))
    return original, local + update[:, kept:]


def _embed(visual: VisionTransformer, images: Tensor) -> Tensor:
    """Embeddings of the class token and the patches with their positions, (B, 1 + P, width)."""
    check_picture_size(images, visual.patch_size)
    patches = visual.conv1(images)  # (B, width, rows, columns)
    positions = interpolate_positions(visual.positional_embedding, visual.grid_size, tuple(patches.shape[-2:]))
    class_token = visual.class_embedding.to(patches.dtype).expand(len(images), 1, -1)
    tokens = torch.cat([class_token, patches.flatten(2).transpose(1, 2)], dim=1)
    return visual.ln_pre(tokens + positions.to(tokens.dtype))


def check_picture_size(images: Tensor, patch_size: tuple[int, int]) -> None:
    """Refuse pictures (…, H, W) whose sides are not multiples of the patch's, (height, width) in pixels.

    Raises:
        InputError: a side is not a multiple, or 0.
    """
    height, width = images.shape[-2:]
    patch_height, patch_width = patch_size
    if height % patch_height or width % patch_width or not height or not width:
        raise InputError(
            f"image size {height} × {width}",
            f"not a multiple of the image encoder's patch size {patch_height} × {patch_width}",
            f"choose, for example, {max(1, round(height / patch_height)) * patch_height}",
        )


def interpolate_positions(positions: Tensor, native_grid: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Positional embedding interpolated bilinearly to another grid of patches; the native grid is left unchanged.

    Args:
        positions: (1 + rows · columns, width), the class token first.
        native_grid: rows and columns that ``positions`` is made for.
        grid: rows and columns wanted.

    Returns:
        (1 + rows · columns of ``grid``, width).
    """
    if tuple(native_grid) == tuple(grid):
        return positions
    return torch.cat([positions[:1], interpolate_patch_positions(positions[1:], native_grid, grid)])


def interpolate_patch_positions(positions: Tensor, native_grid: tuple[int, int], grid: tuple[int, ...]) -> Tensor:
    """The same for positions (rows · columns, width) without a class token."""
    if tuple(native_grid) == tuple(grid):
        return positions
    square = positions.T.reshape(1, -1, *native_grid)
    resized = F.interpolate(square, size=grid, mode="bilinear", align_corners=False)
    return resized.flatten(2)[0].T


def _project(visual: VisionTransformer, features: Tensor) -> Tensor:
    """Project into the joint embedding space of pictures and texts, (..., D)."""
    return features if visual.proj is None else features @ visual.proj
