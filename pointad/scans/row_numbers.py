"""Recognizes a first column that numbers the rows, as spreadsheets and data frames write it."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.scan_file import FEWEST_POINTS

logger = logging.getLogger(__name__)


def without_row_numbers(values: np.ndarray, path: Path) -> np.ndarray:
    """Drop a first column that holds row numbers, unless only two others would be left; logged.

    Row numbers are 0, 1, 2 … or 1, 2, 3 … in any order, as after shuffling, or, of rows that were selected, whole
    numbers that all differ beside coordinates none of which are whole throughout.

    Args:
        values: (N, C) numbers without names.
        path: the file, for the log.
    """
    if values.ndim != 2 or values.shape[1] < 4 or len(values) < FEWEST_POINTS or values.dtype.kind not in "iuf":
        return values
    first = values[:, 0]
    if not (first >= 0).all() or not _is_whole(first) or first.max() > 2**53:
        return values
    ordered = np.sort(first)
    if not (np.diff(ordered) > 0).all():
        return values
    counts = ordered[0] in (0, 1) and ordered[-1] - ordered[0] == len(ordered) - 1
    if not counts and any(_is_whole(values[:, column]) for column in (1, 2, 3)):
        return values
    said = "counts the rows" if counts and (first == ordered).all() else "numbers the rows"
    logger.warning("%s: the first column %s and is ignored", path, said)
    return values[:, 1:]


def _is_whole(column: np.ndarray) -> bool:
    finite = column[np.isfinite(column)]
    return bool((finite == np.rint(finite)).all())
