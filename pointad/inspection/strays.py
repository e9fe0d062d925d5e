"""Finds points so far outside a scan that the rest would hardly be seen if they were shown as well."""

import logging

import numpy as np

from pointad.errors import InputError
from pointad.scans.central_box import central_box, within_reach

logger = logging.getLogger(__name__)

LARGEST_COORDINATE = 1e300  # what lies beyond is lost in rounding
QUANTILE_SAMPLE = 100_000  # points that the quantiles are taken of
_SMALL = 1 / 20  # of the extent; where half of the points are closer together, the others make the object a dot


def strays(points: np.ndarray, name: str = "scan") -> np.ndarray:
    """Flags (N,) of the stray ones among points (N, 3), far outside the central box, whose number is logged.

    Args:
        points: floating point, finite.
        name: of the scan, for the log.

    Raises:
        InputError: coordinates are too large.
    """
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    sample = points[:: max(1, len(points) // QUANTILE_SAMPLE)]
    low, high = central_box(sample)
    found = ~within_reach(points, low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        extent = (high - low).max()
    if not np.isfinite(extent) or max(abs(low).max(), abs(high).max()) > LARGEST_COORDINATE:
        raise InputError("scan", f"has coordinates up to {np.abs(sample).max():.3g}", "give it in a larger unit")
    if found.any():
        logger.warning("%s: %d of %d points lie far outside and are ignored", name, found.sum(), len(points))
    return found


def warn_of_far_points(points: np.ndarray, name: str = "scan") -> None:
    """Log that half of the points (N, 3), without strays, are in a small part of their extent: others are far away.

    Args:
        points: floating point, finite, at least one.
        name: of the scan, for the log.
    """
    sample = points[:: max(1, len(points) // QUANTILE_SAMPLE)]
    extent = float(np.ptp(points, axis=0).max())
    distances = np.abs(sample - np.median(sample, axis=0)).max(axis=1)
    half = 2 * float(np.median(distances))
    if half < _SMALL * extent:
        message = (
            "%s: half of its points lie within %.3g of its extent of %.3g; remove points that are not of the object"
        )
        logger.warning(f"{message}, beside which it is seen too small", name, half, extent)
