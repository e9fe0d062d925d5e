"""Moves scans near the origin that lie far from it, as in national coordinates: float32 would not hold them."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.central_box import central_box

logger = logging.getLogger(__name__)

FARTHEST = 1000.0
"""How many times its extent a scan may lie from the origin; farther ones would lose more than 1e-4 of their extent."""

_SAMPLE = 100_000  # points that the quantiles are taken of


def near_origin(points: np.ndarray, present: np.ndarray, path: str | Path) -> np.ndarray:
    """The points as they are, or moved near the origin if they lie more than 1,000 times their extent from it.

    Pictures and scores do not depend on where a scan lies, but for rounding. A move is logged. Afterwards all
    coordinates are above 0, so that no point of an organized scan becomes a hole.

    Args:
        points: (…, 3) numbers, in any unit.
        present: (…) bool, those that hold a point; others stay as they are.
        path: the file, for the log.

    Returns:
        The given array, or a new one of the same shape in float64.
    """
    usable = points[present]
    usable = usable[:: max(1, len(usable) // _SAMPLE)].astype(np.float64)
    if not len(usable):
        return points
    low, high = central_box(usable)  # a stray point makes no scan larger
    extent = float((high - low).max())
    distance = float(np.abs([low, high]).max())
    if not 0 < extent * FARTHEST < distance:
        return points
    logger.info("%s: lies %.3g times its extent from the origin, and is moved near it", path, distance / extent)
    return np.where(present[..., None], points - (low - extent), points)
