"""A start for the image encoder that sees edges and spots from the first step on.

Filters of many places, directions and widths stand in its first block's MLP; attention from values to values begins
by looking at each patch itself; and a steady part of every patch's token keeps faint patches faint, which the
normalization of tokens would blow up.
"""

import math

import numpy as np
import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor

_STEADY = 1.0  # size of the part that all tokens share
_VALUE_GAIN = 2.0  # of values, so that a patch is most like itself
_WAVELENGTHS = (4.0, 16.0)  # pixels
_COLORED = 0.15  # share of filters that look at a colour instead of brightness
_REACH, _BIAS = 1.5, -0.5  # a filter's strong answers (95 %), and where its threshold lies


@torch.no_grad()
def set_first_filters(visual: VisionTransformer, images: Tensor, seed: int) -> None:
    """Set the image encoder's start, in place, after its patch projection.

    Args:
        visual: the image encoder; its patch projection has as many independent filters as it has channels.
        images: (B, 3, S, S) normalized pictures, S a multiple of the patch's side; they set the filters' scale.
        seed: of everything random.
    """
    generator = torch.Generator().manual_seed(seed)
    visual.positional_embedding += _STEADY * torch.randn(visual.conv1.out_channels, generator=generator).sign()
    width = visual.conv1.out_channels
    for block in visual.transformer.resblocks:
        block.attn.in_proj_weight[2 * width :] *= _VALUE_GAIN
        block.attn.out_proj.weight /= _VALUE_GAIN

    block = visual.transformer.resblocks[0]
    hidden = block.mlp.c_fc.out_features
    side = visual.conv1.kernel_size[0]
    # A filter of pixels as one of tokens: through the inverse of the patch projection.
    on_pixels = torch.from_numpy(random_filters(np.random.default_rng(seed), hidden, side)).float()
    on_tokens = on_pixels @ torch.linalg.pinv(visual.conv1.weight.flatten(1))  # (hidden, width)
    on_tokens -= on_tokens.mean(dim=1, keepdim=True)
    tokens = visual.conv1(images).flatten(2).transpose(1, 2) + visual.positional_embedding[1:].mean(dim=0)
    tokens = block.ln_2(visual.ln_pre(tokens)).flatten(0, 1)
    answers = tokens @ on_tokens.T
    strong = (answers - answers.mean(dim=0)).abs().kthvalue(int(0.95 * len(answers)), dim=0).values
    on_tokens *= (_REACH / strong.clamp(min=1e-6))[:, None]
    block.mlp.c_fc.weight.copy_(on_tokens)
    block.mlp.c_fc.bias.copy_(_BIAS - (tokens @ on_tokens.T).mean(dim=0))


def random_filters(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    """(count, 3 · side · side) Gabor filters of random place, direction, wavelength and phase, each of sum zero."""
    axis = np.arange(side) - (side - 1) / 2
    center_y, center_x = rng.uniform(-side / 2, side / 2, (2, count, 1, 1))
    angle, phase = rng.uniform(0, np.pi, (count, 1, 1)), rng.uniform(0, 2 * np.pi, (count, 1, 1))
    wavelength = np.exp(rng.uniform(math.log(_WAVELENGTHS[0]), math.log(_WAVELENGTHS[1]), (count, 1, 1)))
    width, stretch = wavelength * rng.uniform(0.3, 0.6, (count, 1, 1)), rng.uniform(1, 2.2, (count, 1, 1))
    x, y = axis[None, None, :] - center_x, axis[None, :, None] - center_y
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    window = np.exp(-(across**2 + (along / stretch) ** 2) / (2 * width**2))
    waves = window * np.cos(2 * np.pi * across / wavelength + phase)
    waves -= window * (waves.sum(axis=(1, 2), keepdims=True) / window.sum(axis=(1, 2), keepdims=True))
    colors = np.where(rng.random((count, 1)) < _COLORED, rng.normal(size=(count, 3)), 1.0)
    return (colors[:, :, None, None] * waves[:, None]).reshape(count, -1)
