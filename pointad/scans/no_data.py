"""Finds the no-data values that scanners write: -9999, -32768, 1e10, the largest float, 65.535."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.central_box import central_box

logger = logging.getLogger(__name__)

_UNITS = (1.0, 0.1, 0.01, 0.001)  # of integers that have been scaled
_TOLERANCE = 1e-5  # relative; text has few digits, and float32 does not hold 65.535
_SAMPLE = 20_000  # points that the quantiles are computed from
_NUMBERS = np.unique(
    [
        *(base * unit for unit in _UNITS for base in (999, 9999, 99999, 999999, 32767, 32768, 65535, 2**31, 2**31 - 1)),
        *(10.0**power for power in range(4, 39)),
        float(2**32),
        float(2**32 - 1),
        float(np.finfo(np.float32).max),
        float(np.finfo(np.float64).max),
    ]
)
"""Magnitudes of no-data values; either sign."""

_MOST_TOLD = 10  # different values

_MOST_ZERO = 0.5  # share of the points that may have the height 0 for it to be no data

_SUSPICIOUS_GAP = 0.05  # between a height that many points share and the others, of the box's side
_MANY = 0.001  # of the points


@np.errstate(over="ignore", invalid="ignore")  # coordinates as large as the type allows
def without_no_data(points: np.ndarray, name: str | Path) -> np.ndarray:
    """Replace points that have a no-data value among their coordinates by NaN, and log how many.

    Such a value counts as no data only if it lies farther outside the bounding box of the other points than that box
    is large. A scan that genuinely extends that far is left unchanged. In a cloud without a grid, several points at
    (0, 0, 0) are no data as well, and the height 0 of at most half of the points, under the same condition.

    Args:
        points: (N, 3) or (H, W, 3) floating point; non-finite values are holes already, and so are points at (0, 0, 0)
            of an organized scan.
        name: the file, for the log.

    Returns:
        The same array if nothing was found, otherwise a copy.
    """
    flat = points.reshape(-1, 3)
    if points.ndim == 2:
        zeros = _zeros(flat, name)
        if zeros.any():
            flat = points = np.where(zeros[:, None], flat.dtype.type(np.nan), flat)
    if not len(flat) or _is_compact(flat):
        return points
    measured = np.isfinite(flat).all(axis=1)
    measured[measured] = flat[measured].any(axis=1)
    listed = np.stack([_is_listed(flat[:, axis]) for axis in range(3)], axis=1) & measured[:, None]
    others = measured & ~listed.any(axis=1)
    if not listed.any() or not others.any():
        return points
    low, high = _central_box(flat[others])
    reach = (high - low).max()
    with np.errstate(over="ignore", invalid="ignore"):
        outside = listed & ((flat < low - reach) | (flat > high + reach))
    removed = outside.any(axis=1)
    if not removed.any():
        return points
    numbers = np.unique(flat[outside]).tolist()
    for number in numbers[:_MOST_TOLD]:
        having = (outside & (flat == number)).any(axis=1).sum()
        message = "%s: %d of %d points have the no-data value %g as a coordinate; they are treated as holes"
        logger.warning(message, name, having, len(flat), number)
    if len(numbers) > _MOST_TOLD:
        message = "%s: %d of %d points are treated as holes for these and %d more no-data values"
        logger.warning(message, name, removed.sum(), len(flat), len(numbers) - _MOST_TOLD)
    cleaned = flat.copy()
    cleaned[removed] = np.nan
    return cleaned.reshape(points.shape)


@np.errstate(over="ignore", invalid="ignore")
def warn_of_lone_heights(points: np.ndarray, present: np.ndarray, name: str | Path) -> None:
    """Log the lowest or highest z if many points share it and hardly any other is near: a number may stand for no data.

    Args:
        points: (..., 3) floating point.
        present: (...) bool, without holes.
        name: the file, for the log.
    """
    z = points[..., 2][present]
    for height in sorted({float(z.min()), float(z.max())}):
        alike = z == height
        count = int(alike.sum())
        if count < max(2, _MANY * len(z)) or count == len(z):
            continue
        low, high = _central_box(points[present][~alike])
        gap = max(low[2] - height, height - high[2])
        if gap > _SUSPICIOUS_GAP * (high - low).max():
            message = "%s: %d of %d points have z = %g, and nearly all others are farther than %.3g from it"
            logger.warning(f"{message}; if it stands for no data, write nan", name, count, len(z), height, gap)


def _zeros(points: np.ndarray, name: str | Path) -> np.ndarray:
    """Flags of the points of a cloud (N, 3) that are zeros in place of a measurement, logged."""
    flat = points[:, 2] == 0
    none = np.zeros(len(points), dtype=bool)
    if not flat.any() or flat.all():
        return none
    at_origin = flat & (points[:, 0] == 0) & (points[:, 1] == 0)
    found = at_origin if at_origin.sum() > 1 else none
    others = points[~flat & np.isfinite(points).all(axis=1)]
    if len(others) and flat.mean() <= _MOST_ZERO:
        low, high = _central_box(others)
        reach = (high - low).max()
        gap = max(low[2], -high[2])
        if gap > reach > 0:
            found = flat
    if found.any():
        message = "%s: %d of %d points are 0 instead of a measurement; they are treated as holes"
        logger.warning(message, name, found.sum(), len(points))
    return found


def _is_compact(points: np.ndarray) -> bool:
    """A fast check, nearly always true: no point lies far outside and no axis ends at a no-data value."""
    ends = np.array([(points[:, axis].min(), points[:, axis].max()) for axis in range(3)]).T
    if np.isnan(ends).any():  # the NaN-aware functions take twice as long
        ends = np.array([(np.fmin.reduce(points[:, axis]), np.fmax.reduce(points[:, axis])) for axis in range(3)]).T
    if not np.isfinite(ends).all() or _is_listed(ends).any():
        return False
    sample = points[:: max(1, len(points) // _SAMPLE)]
    sample = sample[np.isfinite(sample).all(axis=1)]
    if not len(sample):
        return False
    low, high = _central_box(sample)
    reach = (high - low).max()
    return bool((ends[0] >= low - reach).all() and (ends[1] <= high + reach).all())


def _central_box(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sample = points[:: max(1, len(points) // _SAMPLE)]
    return central_box(sample.astype(np.float64))


def _is_listed(values: np.ndarray) -> np.ndarray:
    """Flags of the values whose magnitude is a no-data value."""
    with np.errstate(over="ignore", invalid="ignore"):
        magnitudes = np.abs(values.astype(np.float64))
        nearest = _NUMBERS[np.minimum(np.searchsorted(_MIDPOINTS, magnitudes), len(_NUMBERS) - 1)]
        return np.abs(magnitudes - nearest) <= _TOLERANCE * nearest


_MIDPOINTS = _NUMBERS[:-1] / 2 + _NUMBERS[1:] / 2
