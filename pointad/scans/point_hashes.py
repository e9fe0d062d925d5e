"""Pseudo-random numbers for points, hashed from their coordinates and thus independent of their order."""

import numpy as np

_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # odd, their bits evenly mixed (SplitMix64)
UPPER = np.uint64(0xFFFFFFFFFF000000)  # bits of a lasting hash that are those of the point's cell
_SHIFT = 0.381966  # cells; points on a grid of their own lie on the sides of no lattice that is shifted by this
_CELLS = 1000


def point_hashes(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Hashes (N,) uint64 of points (N, 3), any real type; equal points have equal hashes, which vary with the seed."""
    mixed = np.full(len(points), np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for coordinate in np.ascontiguousarray(points.T, dtype=np.float64).view(np.uint64):
        for multiplier in _MULTIPLIERS:
            mixed = (mixed ^ coordinate) * np.uint64(multiplier)
            mixed ^= mixed >> np.uint64(31)
    return mixed


def distinct_points(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points (N, 3) of which no earlier one is equal, by their hashes, and those that all points are equal to.

    Returns:
        (M,) int64, ascending indices; and (N,) int64, for each point the place of its equal among them.
    """
    hashes = point_hashes(points + 0.0)  # without -0
    ordered = np.sort(hashes)
    if (ordered[1:] != ordered[:-1]).all():
        return np.arange(len(points)), np.arange(len(points))
    _, first, equal = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first))
    return first[order], place[equal]


def lasting_hashes(points: np.ndarray, cells: int, seed: int = 0) -> np.ndarray:
    """Hashes (N,) uint64 of points (N, 3) that nearly all outlast rounding, another unit and another origin.

    The cell of a lattice over the bounding box is hashed, in the upper 40 bits, and then the point itself, so that the
    points of a cell differ. Only points within the rounding error of a cell's side get another hash: of single
    precision and 1000 cells about one in a thousand.

    Args:
        points: finite.
        cells: how many the box is long.
        seed: as in `point_hashes`.
    """
    offsets = points - points.min(axis=0, initial=np.inf)
    extent = float(offsets.max(initial=0.0))
    lattice = np.floor(offsets * (cells / extent) + _SHIFT) if extent > 0 else np.zeros_like(offsets)
    return point_hashes(lattice, seed) & UPPER | point_hashes(points, seed) >> np.uint64(40)


def smallest_hashes(points: np.ndarray, count: int) -> np.ndarray:
    """Indices (count,) of the points (N, 3) with the smallest lasting hashes, unordered; all if there are no more."""
    if len(points) <= count:
        return np.arange(len(points))
    return np.argpartition(lasting_hashes(points, _CELLS), count - 1)[:count]
