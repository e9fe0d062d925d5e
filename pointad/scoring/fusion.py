"""Fuses point values, colour maps and global probabilities to a sample's smoothed maps and scores (section 3.4)."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.errors import InputError
from pointad.scoring.options import DEFAULT_SIGMA, FUSIONS, checked_sigma

TRUNCATE = 4.0  # the kernel reaches this many sigmas


@dataclass(frozen=True)
class SampleScores:
    """Anomaly maps and scores of B samples; without a colour picture only the point fields are set."""

    point_map: Tensor  # (B, S, S)
    point_score: Tensor  # (B,)
    color_map: Tensor | None = None  # (B, S, S)
    color_score: Tensor | None = None  # (B,)
    fused_map: Tensor | None = None  # (B, S, S)
    fused_score: Tensor | None = None  # (B,)

    def of_sample(self, index: int = 0) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Scores and maps (S, S) of one sample by modality: "point" and, with a colour picture, "color" and "fused"."""
        scores = {"point": self.point_score, "color": self.color_score, "fused": self.fused_score}
        maps = {"point": self.point_map, "color": self.color_map, "fused": self.fused_map}
        return (
            {name: float(one[index]) for name, one in scores.items() if one is not None},
            {name: one[index].cpu().numpy() for name, one in maps.items() if one is not None},
        )


def fuse(
    point_values: Tensor,
    point_probability: Tensor,
    color_values: Tensor | None = None,
    color_probability: Tensor | None = None,
    *,
    sigma: float = DEFAULT_SIGMA,
    fusion: str = "both",
) -> SampleScores:
    """Smooth the maps and score the samples.

    Args:
        point_values: (B, S, S), back-projected anomalous probability of the points on their grid, 0 for holes.
        point_probability: (B,), mean over the views of their anomalous probability.
        color_values: (B, S, S), anomalous probability of the colour picture's pixels.
        color_probability: (B,), anomalous probability of the colour picture.
        sigma: width of the Gaussian in pixels; 0 disables smoothing.
        fusion: ``both`` as below; ``map`` omits the probabilities from the scores, ``global`` the peaks of the maps.

    Returns:
        SampleScores: the point score is half the map's peak plus half the probability; the colour score is the peak
        plus the probability; the fused map is the mean of both maps, smoothed again, and the fused score its peak
        plus the mean of both probabilities.

    Raises:
        InputError: the fusion is unknown, the shapes do not match, one of the two of a picture is missing, or the maps
            cannot be smoothed, see `smooth`.
    """
    if fusion not in FUSIONS:
        raise InputError(f"fusion {fusion}", "is not known", f"choose one of {', '.join(FUSIONS)}")
    _check_shapes(point_values, point_probability, color_values, color_probability)
    use_map, use_global = float(fusion != "global"), float(fusion != "map")
    point_map = smooth(point_values, sigma)
    point_score = (use_map * _peak(point_map) + use_global * point_probability) / 2
    if color_values is None or color_probability is None:
        return SampleScores(point_map, point_score)
    color_map = smooth(color_values, sigma)
    fused_map = smooth((point_map + color_map) / 2, sigma)
    return SampleScores(
        point_map=point_map,
        point_score=point_score,
        color_map=color_map,
        color_score=use_map * _peak(color_map) + use_global * color_probability,
        fused_map=fused_map,
        fused_score=use_map * _peak(fused_map) + use_global * (point_probability + color_probability) / 2,
    )


def smooth(maps: Tensor, sigma: float = DEFAULT_SIGMA) -> Tensor:
    """Gaussian smoothing as in ``scipy.ndimage.gaussian_filter`` with its defaults (mirrored at the border).

    Args:
        maps: (…, H, W) floating point.
        sigma: width of the Gaussian in pixels; 0 disables smoothing.

    Raises:
        InputError: the maps are no floating-point numbers, or the width is no number, negative or larger than 2048.
    """
    if not maps.is_floating_point():  # the weights would be rounded to 0
        raise InputError("maps", f"are {maps.dtype}", "give floating-point numbers")
    sigma = checked_sigma(sigma)
    if sigma == 0:
        return maps
    height, width = maps.shape[-2:]
    rows = torch.from_numpy(smoothing_matrix(height, sigma)).to(maps)
    columns = torch.from_numpy(smoothing_matrix(width, sigma)).to(maps)
    return rows @ maps @ columns.T


def smoothing_matrix(length: int, sigma: float) -> np.ndarray:
    """Gaussian smoothing of a line as a matrix (length, length), float64; mirrored at the border: d c b a | a b c d.

    Raises:
        InputError: the width is no number, negative or larger than 2048.
    """
    return _smoothing_matrix(length, checked_sigma(sigma)).copy()


@functools.lru_cache(maxsize=8)  # a wide one takes longer than all else that is done with a map
def _smoothing_matrix(length: int, sigma: float) -> np.ndarray:
    if sigma == 0:
        return np.eye(length)
    radius = int(TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    line = np.arange(length)[:, None]
    source = (line + offsets) % (2 * length)
    source = np.where(source < length, source, 2 * length - 1 - source)
    matrix = np.zeros((length, length))
    np.add.at(matrix, (line, source), np.broadcast_to(kernel, source.shape))
    return matrix


def _check_shapes(
    point_values: Tensor, point_probability: Tensor, color_values: Tensor | None, color_probability: Tensor | None
) -> None:
    """Refuse what would be repeated to fit, or ignored."""
    if (color_values is None) != (color_probability is None):
        missing = "maps" if color_values is None else "probabilities"
        raise InputError(
            "colour picture", f"lacks its {missing}", "give both its maps and its probabilities, or neither"
        )
    shapes = [tuple(one.shape) for one in (point_values, color_values) if one is not None]
    counts = [tuple(one.shape) for one in (point_probability, color_probability) if one is not None]
    if len(shapes[0]) != 3 or set(shapes) != {shapes[0]} or set(counts) != {shapes[0][:1]}:
        problem = f"have the shapes {', '.join(map(str, shapes + counts))}"
        raise InputError("maps and probabilities", problem, "give maps (B, S, S) and probabilities (B,)")


def _peak(maps: Tensor) -> Tensor:
    return maps.flatten(-2).amax(dim=-1)
