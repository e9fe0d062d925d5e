"""Notices coordinates that number the columns and rows of a grid: they may be pixels beside heights in another unit."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.scan_file import FEWEST_POINTS
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

_SAMPLE = 1000  # points, of which few scans have whole x and y throughout
_FILLED = 0.5  # of the grid


def warn_of_pixels(points: np.ndarray, present: np.ndarray, path: Path) -> None:
    """Log x and y that are whole numbers without gaps, one point for each pair, and fill at least half of their grid.

    Args:
        points: (N, 3), or (H, W, 3) of an organized scan.
        present: (N,) or (H, W) bool, where there is no hole.
        path: the file, for the log.
    """
    places, usable = points.reshape(-1, 3)[:, :2], present.ravel()
    stride = max(1, len(places) // _SAMPLE)
    if not are_whole(places[::stride][usable[::stride]]):
        return
    places = places[usable]
    if len(places) < FEWEST_POINTS or not are_whole(places):
        return
    lowest = places.min(axis=0)
    with np.errstate(over="ignore"):
        width, height = map(float, places.max(axis=0) - lowest + 1)
    if min(width, height) < 2 or not _FILLED <= len(places) / (width * height) <= 1:
        return
    columns, rows = (places - lowest).astype(np.int64).T
    taken = np.zeros(int(width * height), dtype=bool)
    taken[columns * int(height) + rows] = True
    if taken.sum() == len(places):
        message = (
            "%s: x and y number the columns and rows of a grid; if these are pixels, multiply both by the size of one"
        )
        logger.warning(message, path)
