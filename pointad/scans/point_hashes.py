"""Pseudo-random numbers for points, hashed from their coordinates and thus independent of their order."""

import numpy as np

_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # odd, their bits evenly mixed (SplitMix64)


def point_hashes(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Hashes (N,) uint64 of points (N, 3), any real type; equal points have equal hashes, which vary with the seed."""
    mixed = np.full(len(points), np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    for coordinate in np.ascontiguousarray(points.T, dtype=np.float64).view(np.uint64):
        for multiplier in _MULTIPLIERS:
            mixed = (mixed ^ coordinate) * np.uint64(multiplier)
            mixed ^= mixed >> np.uint64(31)
    return mixed


def smallest_hashes(points: np.ndarray, count: int) -> np.ndarray:
    """Indices (count,) of the points (N, 3) with the smallest hashes, unordered; all if there are no more."""
    if len(points) <= count:
        return np.arange(len(points))
    return np.argpartition(point_hashes(points), count - 1)[:count]
