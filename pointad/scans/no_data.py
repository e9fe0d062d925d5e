"""Finds the numbers that scanners write where they measured nothing: -9999, -32768, 1e10, the largest float, 65.535."""

import logging
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)

_UNITS = (1.0, 0.1, 0.01, 0.001)  # of integers that were scaled on their way
_MOST_ROUNDS = 12  # each takes away one number at one end of one axis
_NUMBERS = np.unique(
    [
        *(base * unit for unit in _UNITS for base in (9999, 99999, 999999, 32767, 32768, 65535, 2**31, 2**31 - 1)),
        *(10.0**power for power in range(4, 39)),
        float(2**32),
        float(2**32 - 1),
        float(np.finfo(np.float32).max),
        float(np.finfo(np.float64).max),
    ]
)
"""Magnitudes that stand for "nothing measured"; either sign."""


def without_no_data(points: np.ndarray, name: str | Path) -> np.ndarray:
    """Replace points with a no-data number among their coordinates by NaN, and log how many.

    Such a number counts as one only where it lies farther from all other coordinates of its axis than the rest of the
    scan is large: a scan that truly reaches so far is left alone.

    Args:
        points: (..., 3) floating point; values that are not finite, and points at (0, 0, 0), are holes already.
        name: the file, for the log.

    Returns:
        The same array if nothing was found, a copy otherwise.
    """
    flat = points.reshape(-1, 3)
    if not len(flat) or _is_free(flat):
        return points
    left = np.isfinite(flat).all(axis=1)
    left[left] = flat[left].any(axis=1)
    found: dict[float, tuple[int, np.ndarray]] = {}  # number -> axis, points that have it
    for _ in range(_MOST_ROUNDS):
        extreme = _extreme_number(flat, left)
        if extreme is None:
            break
        axis, number = extreme
        having = left & (flat[:, axis] == number)
        left &= ~having
        previous = found.get(number)
        found[number] = axis, having if previous is None else having | previous[1]
    if not found or not left.any():
        return points
    with np.errstate(over="ignore"):
        extent = float(np.ptp(flat[left], axis=0).max())
    removed = np.zeros(len(flat), dtype=bool)
    for number, (axis, having) in found.items():
        if np.abs(flat[left, axis] - number).min() <= extent:
            continue
        removed |= having
        logger.warning(
            "%s: %d of %d points have the coordinate %g, which stands for no data; they are holes",
            name,
            having.sum(),
            len(flat),
            number,
        )
    if not removed.any():
        return points
    cleaned = flat.copy()
    cleaned[removed] = np.nan
    return cleaned.reshape(points.shape)


def _is_free(points: np.ndarray) -> bool:
    """Whether nothing stands at the ends of the axes that could be such a number; fast, as it is nearly always so."""
    ends = [end for axis in range(3) for end in (np.fmin.reduce(points[:, axis]), np.fmax.reduce(points[:, axis]))]
    return bool(np.isfinite(ends).all()) and all(_listed(float(end)) is None for end in ends)


def _listed(value: float) -> float | None:
    """The value, if its magnitude is one of the numbers."""
    nearest = _NUMBERS[np.abs(_NUMBERS - abs(value)).argmin()]
    return value if abs(nearest - abs(value)) <= 1e-6 * nearest else None  # float32 does not hold 65.535


def _extreme_number(points: np.ndarray, left: np.ndarray) -> tuple[int, float] | None:
    """An axis at one of whose ends a no-data number stands, and the number."""
    if not left.any():
        return None
    lowest, highest = points[left].min(axis=0), points[left].max(axis=0)
    for ends in (lowest, highest):
        for axis, value in enumerate(ends.tolist()):
            if _listed(value) is not None:
                return axis, value
    return None
