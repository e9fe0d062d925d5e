"""Gaussian smoothing of values on a point cloud without a grid, over neighbours in space."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

CELLS_PER_SIGMA = 2.0
TRUNCATE = 3.0  # the kernel reaches this many sigmas
MOST_CELLS = 256  # along an axis; a narrower Gaussian would need more memory and changes little


def smooth_on_surface(
    points: np.ndarray, values: np.ndarray, sigma: float, known: np.ndarray | None = None
) -> np.ndarray:
    """The Gaussian-weighted mean of the values around every point.

    Values and their counts are accumulated on a cubic lattice, both are smoothed there, and their quotient is
    interpolated back to the points: the cost does not grow with the number of neighbours.

    Args:
        points: (N, 3) floating point, finite.
        values: (N,) floating point.
        sigma: standard deviation of the Gaussian in the unit of the points; 0 disables smoothing.
        known: (N,) bool, False for points with unknown value; they take the mean around them, or the nearest known
            value if none is within reach or smoothing is disabled. None: all are known.

    Returns:
        (N,) float32.
    """
    known = np.ones(len(points), dtype=bool) if known is None else known
    if sigma == 0:
        kept = values.astype(np.float32)
        kept[~known] = _nearest_known(points, kept, known, ~known)
        return kept
    low = points.min(axis=0)
    extent = float((points.max(axis=0) - low).max())
    cell = max(sigma / CELLS_PER_SIGMA, extent / MOST_CELLS, float(np.finfo(np.float32).tiny))
    place = (points - low) / cell
    node = np.rint(place).astype(np.int64)
    shape = tuple(node.max(axis=0) + 1)
    flat = np.ravel_multi_index(tuple(node[known].T), shape)
    cells = int(np.prod(shape))
    total = np.bincount(flat, weights=values[known], minlength=cells).reshape(shape).astype(np.float32)
    number = np.bincount(flat, minlength=cells).reshape(shape).astype(np.float32)
    width = max(sigma / cell, 0.5)
    total, number = (_gaussian(one, width) for one in (total, number))
    total_here, number_here = (
        ndimage.map_coordinates(one, place.T, order=1, mode="nearest", prefilter=False) for one in (total, number)
    )
    reached = number_here > np.finfo(np.float32).tiny * 1e6
    smoothed = np.divide(total_here, number_here, out=np.zeros_like(total_here), where=reached)
    smoothed[~reached] = _nearest_known(points, values, known, ~reached)
    return smoothed


def _nearest_known(points: np.ndarray, values: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For the wanted points, (N,) bool, the values of the nearest points with known value."""
    if not wanted.any():
        return values[wanted]
    sources = np.flatnonzero(known)
    _, nearest = cKDTree(points[sources]).query(points[wanted])
    return values[sources[nearest]]


def _gaussian(lattice: np.ndarray, width: float) -> np.ndarray:
    return ndimage.gaussian_filter(lattice, width, mode="constant", truncate=TRUNCATE)
