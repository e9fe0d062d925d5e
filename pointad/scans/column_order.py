"""Recognizes columns without names whose first three are certainly not x, y, z."""

from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.colors import is_normals
from pointad.scans.scan_file import FEWEST_POINTS

_EARLIEST_TIME = 1e8  # seconds, of clocks that count from 1970 or 1980; coordinates of countries stay below
_REMEDY = "name the columns x, y, z, or move x, y and z to the front"


def check_order(values: np.ndarray, path: Path) -> None:
    """Refuse a table that begins with colours, normals, labels, intensities or times.

    Args:
        values: (N, C) numbers without names, without row numbers.
        path: the file, for errors.

    Raises:
        InputError: the first columns do not look like coordinates, but those behind them do.
    """
    if values.ndim != 2 or values.shape[1] < 4 or len(values) < FEWEST_POINTS or values.dtype.kind not in "iuf":
        return
    found = values[np.isfinite(values).all(axis=1)]
    kind = _first_columns(found) if len(found) else None
    if kind is not None:
        raise InputError(path, f"has no names of columns, and begins with what looks like {kind}", _REMEDY)


def _first_columns(values: np.ndarray) -> str | None:
    """What the first columns of (N, C) finite numbers hold; None if it may be coordinates."""
    whole = [bool((values[:, column] == np.rint(values[:, column])).all()) for column in range(min(6, values.shape[1]))]
    fractions_follow = not any(whole[1:4])
    if values.shape[1] >= 6 and not any(whole[3:6]) and not is_normals(values[:, 3:6]):
        first = values[:, :3]
        if all(whole[:3]) and first.min() >= 0 and 1 < first.max() <= 255:
            return "colours"
        if is_normals(first):
            return "normals"
    fourth = values[:, 3]
    if whole[0] and fractions_follow and not _is_attribute(fourth) and not is_normals(values[:, 3:6]):
        return "a label or an intensity"
    if values[:, 0].min() > _EARLIEST_TIME and np.abs(values[:, 1:4]).max() < _EARLIEST_TIME / 10:
        return "times"
    return None


def _is_attribute(column: np.ndarray) -> bool:
    """Whether numbers are between 0 and 1, as intensities are."""
    return bool(column.min() >= 0 and column.max() <= 1)
