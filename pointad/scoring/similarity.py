"""Features to probabilities: how normal or anomalous a picture, or each of its patches, looks (section 3.3).

Class 0 is normal, class 1 is anomalous, everywhere.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from pointad.errors import InputError

TEMPERATURE = 0.07  # cosine similarities are divided by it before the softmax
ANOMALOUS = 1  # index of the anomalous class; the normal one is 0


def global_logits(global_features: Tensor, text_features: Tensor) -> Tensor:
    """Cosine similarity of each feature (…, D) with the texts (2, D), divided by the temperature: (…, 2)."""
    return unit_logits(F.normalize(global_features, dim=-1), F.normalize(text_features, dim=-1))


def unit_logits(features: Tensor, text_features: Tensor) -> Tensor:
    """The same for features (…, D) and texts (2, D) that already have unit length: (…, 2)."""
    return features @ text_features.T / TEMPERATURE


def global_probabilities(global_features: Tensor, text_features: Tensor) -> Tensor:
    """Probabilities of normal and anomalous: features (…, D) and texts (2, D) to (…, 2)."""
    return global_logits(global_features, text_features).softmax(dim=-1)


def sample_logits(view_logits: Tensor) -> Tensor:
    """Logits of a sample, the mean over its views: (…, V, 2) to (…, 2)."""
    return view_logits.mean(dim=-2)


def local_probability_grid(patch_features: Tensor, text_features: Tensor, *, unit_length: bool = False) -> Tensor:
    """Probabilities of each patch.

    Args:
        patch_features: (…, P, D), patches of a square grid in row-major order.
        text_features: (2, D), normal and anomalous.
        unit_length: whether all of them already have unit length.

    Returns:
        (…, 2, g, g) with g · g = P.

    Raises:
        InputError: the patches do not form a square.
    """
    patches = patch_features.shape[-2]
    side = math.isqrt(patches)
    if side * side != patches:
        raise InputError(f"{patches} patches", "do not form a square grid", "encode square pictures")
    logits = (unit_logits if unit_length else global_logits)(patch_features, text_features)
    probabilities = logits.softmax(dim=-1)  # (…, P, 2)
    return probabilities.transpose(-1, -2).unflatten(-1, (side, side))


def upsample(grid: Tensor, size: int) -> Tensor:
    """Bilinear (corners not aligned): (…, C, g, g) to (…, C, size, size)."""
    flat = grid.reshape(-1, *grid.shape[-3:])
    resized = F.interpolate(flat, size=(size, size), mode="bilinear", align_corners=False)
    return resized.reshape(*grid.shape[:-2], size, size)


def anomaly_maps(patch_features: Tensor, text_features: Tensor, size: int) -> Tensor:
    """Anomalous probability of every pixel; several layers give the mean of their maps.

    Args:
        patch_features: (…, L, P, D), of L layers.
        text_features: (2, D), normal and anomalous.
        size: side of the maps in pixels.

    Returns:
        (…, size, size) in 0 … 1; the normal probability is 1 minus this.
    """
    grid = local_probability_grid(patch_features, text_features)  # (…, L, 2, g, g)
    anomalous = grid[..., ANOMALOUS, :, :].mean(dim=-3)  # the mean of grids is that of maps: resizing is linear
    return upsample(anomalous.unsqueeze(-3), size).squeeze(-3)
