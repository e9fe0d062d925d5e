"""Finds points so far outside a scan that the rest would hardly be seen if they were shown as well."""

import logging

import numpy as np

from pointad.errors import InputError

logger = logging.getLogger(__name__)

LARGEST_COORDINATE = 1e300  # what lies beyond is lost in rounding
CENTRAL_PART = (0.005, 0.995)  # quantiles of each coordinate; what lies farther outside than they lie apart is a stray
QUANTILE_SAMPLE = 100_000  # points that the quantiles are taken of


def strays(points: np.ndarray, name: str = "scan") -> np.ndarray:
    """Flags (N,) of the stray ones among points (N, 3), whose number is logged.

    Args:
        points: floating point, finite.
        name: of the scan, for the log.

    Raises:
        InputError: coordinates are too large.
    """
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    sample = points[:: max(1, len(points) // QUANTILE_SAMPLE)]
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = np.quantile(sample, CENTRAL_PART, axis=0)
        reach = (high - low).max()
        found = ((points < low - reach) | (points > high + reach)).any(axis=1) & (reach > 0)
    if not np.isfinite(reach) or max(abs(low).max(), abs(high).max()) > LARGEST_COORDINATE:
        raise InputError("scan", f"has coordinates up to {np.abs(sample).max():.3g}", "give it in a larger unit")
    if found.any():
        logger.warning("%s: %d of %d points lie far outside and are ignored", name, found.sum(), len(points))
    return found
