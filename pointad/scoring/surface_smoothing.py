"""Gaussian smoothing of values on a point cloud without a grid, over neighbours in space."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

CELLS_PER_SIGMA = 2.0
TRUNCATE = 3.0  # the kernel reaches this many sigmas
MOST_CELLS = 256  # along an axis; a narrower Gaussian would need more memory


class SurfaceSmoothing:
    """The Gaussian-weighted mean of the values around every point of a cloud, for any number of sets of values.

    Values and their counts are accumulated on a cubic lattice, both are smoothed there, and their quotient is
    interpolated back to the points: the cost does not grow with the number of neighbours, and the counts are smoothed
    once.

    Args:
        points: (N, 3) floating point, finite.
        sigma: standard deviation of the Gaussian in the unit of the points; 0 disables smoothing. The lattice has no
            more than 256 cells along an axis, so that narrower ones act as about a 400th of the largest side.
        known: (N,) bool, False for points with unknown value; they take the mean around them, or the nearest known
            value if none is within reach or smoothing is disabled. None: all are known.
    """

    def __init__(self, points: np.ndarray, sigma: float, known: np.ndarray | None = None) -> None:
        self._points, self._sigma = points, sigma
        self._known = np.ones(len(points), dtype=bool) if known is None else known
        if sigma == 0:
            return
        low = points.min(axis=0)
        extent = float((points.max(axis=0) - low).max())
        cell = max(sigma / CELLS_PER_SIGMA, extent / MOST_CELLS, float(np.finfo(np.float32).tiny))
        self._place = ((points - low) / cell).T
        node = np.rint(self._place).astype(np.int64)
        self._shape = tuple(node.max(axis=1) + 1)
        self._flat = np.ravel_multi_index(tuple(node[:, self._known]), self._shape)
        self._width = max(sigma / cell, 0.5)
        self._number = self._spread(None)
        self._reached = self._number > np.finfo(np.float32).tiny * 1e6

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Smooth values (N,) floating point: (N,) float32."""
        known = self._known
        if self._sigma == 0:
            kept = values.astype(np.float32)
            kept[~known] = _nearest_known(self._points, kept, known, ~known)
            return kept
        total = self._spread(values[known])
        smoothed = np.divide(total, self._number, out=np.zeros_like(total), where=self._reached)
        smoothed[~self._reached] = _nearest_known(self._points, values, known, ~self._reached)
        return smoothed

    def _spread(self, weights: np.ndarray | None) -> np.ndarray:
        """Sums of the weights, or counts, on the smoothed lattice, read at the points: (N,) float32."""
        sums = np.bincount(self._flat, weights=weights, minlength=int(np.prod(self._shape)))
        lattice = sums.reshape(self._shape).astype(np.float32)
        lattice = ndimage.gaussian_filter(lattice, self._width, mode="constant", truncate=TRUNCATE)
        return ndimage.map_coordinates(lattice, self._place, order=1, mode="nearest", prefilter=False)


def _nearest_known(points: np.ndarray, values: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For the wanted points, (N,) bool, the values of the nearest points with known value."""
    if not wanted.any():
        return values[wanted]
    sources = np.flatnonzero(known)
    _, nearest = cKDTree(points[sources]).query(points[wanted])
    return values[sources[nearest]]
