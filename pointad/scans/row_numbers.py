"""Recognizes a first column that numbers the rows, as spreadsheets and data frames write it."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.scan_file import FEWEST_POINTS
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)


def without_row_numbers(values: np.ndarray, path: Path) -> np.ndarray:
    """Drop a first column that holds row numbers, unless only two others would be left; logged.

    Row numbers are 0, 1, 2 … or 1, 2, 3 … in any order, as after shuffling, or, of rows that were selected, whole
    numbers that all differ beside coordinates none of which are whole throughout.

    Args:
        values: (N, C) numbers without names.
        path: the file, for the log.
    """
    said = numbers_rows(values) if len(values) >= FEWEST_POINTS else None
    if said is None:
        return values
    logger.warning("%s: the first column %s the rows and is ignored", path, said)
    return values[:, 1:]


def numbers_rows(values: np.ndarray) -> str | None:
    """What the first column of (N, C) does with the rows: "counts" or "numbers" them; None if it holds something else.

    With fewer than three columns behind it, it holds something else.
    """
    if values.ndim != 2 or values.shape[1] < 4 or not len(values) or values.dtype.kind not in "iuf":
        return None
    first = values[:, 0]
    if not (first >= 0).all() or not _is_whole(first) or first.max() > 2**53:
        return None
    ordered = np.sort(first)
    if not (np.diff(ordered) > 0).all():
        return None
    counts = ordered[0] in (0, 1) and ordered[-1] - ordered[0] == len(ordered) - 1
    if not counts and any(_is_whole(values[:, column]) for column in (1, 2, 3)):
        return None
    return "counts" if counts and (first == ordered).all() else "numbers"


def _is_whole(column: np.ndarray) -> bool:
    return are_whole(column[np.isfinite(column)])
