"""Point sizes for clouds whose rig does not fix one, from the spacing of their points in the picture."""

import math

import numpy as np
from scipy.spatial import cKDTree

from pointad.rendering.camera import focal_length, look_at
from pointad.scans.point_hashes import smallest_hashes

_SPACINGS_PER_SIZE = 3.0  # matches the sizes of the MVTec 3D-AD classes; leaves no gaps in slanted surfaces either
_CLOSING_SIZE = 4.0  # spacings: a gap this wide has probability e**-16 at each point, so none is expected among 100,000
_WIDE_SPACING = 0.9  # the quantile of the spacings that this refers to: gaps occur where points are sparse
_NEIGHBOURS = 12
_SAMPLE = 2000
_SMALLEST = 5


def automatic_point_size(points: np.ndarray, window: int) -> int:
    """The point size in pixels at which the surface of a cloud is drawn without gaps.

    The size is three times the median spacing of the points, as seen in the window at the distance of the cloud's
    centre, rounded up, at least 5 and at most a sixteenth of the window, but never less than 1. The spacing at a point
    is the side of the square that each of its 12 nearest neighbours would have to itself on the disc that holds them.

    Args:
        points: (3, N) float64, N at least 2.
        window: width and height of the window in pixels.
    """
    every = max(1, points.shape[1] // _SAMPLE)
    radius, neighbours = _reach(points, points.T[::every])
    return _clipped(_SPACINGS_PER_SIZE * _pixels(float(np.median(radius)), neighbours, points, window), window)


def closing_point_size(points: np.ndarray, window: int) -> int:
    """The point size in pixels that leaves no gap in the surface of a cloud of randomly sampled points.

    `automatic_point_size` is meant for points on a grid. Randomly sampled points leave some gaps of three spacings,
    through which the far side is visible: dark specks that look like defects if there are only a few. The size is four
    times the 90th percentile of the spacings, or the automatic size if that is larger; neither depends on the order of
    the points.

    Args:
        points: (3, N) float64, N at least 2.
        window: width and height of the window in pixels.
    """
    radius, neighbours = _reach(points, points.T[smallest_hashes(points.T, _SAMPLE)])
    wide, usual = (
        factor * _pixels(float(np.quantile(radius, quantile)), neighbours, points, window)
        for factor, quantile in ((_CLOSING_SIZE, _WIDE_SPACING), (_SPACINGS_PER_SIZE, 0.5))
    )
    return _clipped(max(wide, usual), window)


def _reach(points: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, int]:
    """Distance (K, 1) to the farthest of the nearest points (3, N) around a sample (K, 3), and how many these are."""
    neighbours = min(_NEIGHBOURS, points.shape[1] - 1)
    radius, _ = cKDTree(points.T, balanced_tree=False, compact_nodes=False).query(sample, k=[neighbours + 1])
    return radius, neighbours


def _pixels(radius: float, neighbours: int, points: np.ndarray, window: int) -> float:
    """The spacing, in pixels of the window, of points with the given number of neighbours within a radius."""
    spacing = radius * math.sqrt(math.pi / neighbours)
    return spacing * focal_length(window) / look_at(points).distance


def _clipped(pixels: float, window: int) -> int:
    return max(1, min(max(math.ceil(pixels), _SMALLEST), window // 16))
