"""Detects scans that are probably in a unit other than the stated one."""

import logging

import numpy as np

logger = logging.getLogger(__name__)

LARGEST_EXTENT = 3.0  # metres; anything that seems larger is probably in another unit
UNITS = {"millimetres": 1e-3, "micrometres": 1e-6}  # in metres


def warn_of_unit(points: np.ndarray, metres_per_unit: float, name: str) -> None:
    """Log which unit a scan is probably in if its object seems implausibly large.

    Args:
        points: (N, 3) in metres, assuming `metres_per_unit`; without table and background.
        metres_per_unit: the unit that was assumed.
        name: of the scan, for the log.
    """
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    if extent <= LARGEST_EXTENT:
        return
    fitting = (unit for unit, size in UNITS.items() if extent / metres_per_unit * size <= LARGEST_EXTENT)
    likely = next(fitting, None)
    advice = "" if likely is None else f"; if its unit is {likely}, give --metres_per_unit {UNITS[likely]:g}"
    logger.warning("%s: measures %.3g m%s", name, extent, advice)
