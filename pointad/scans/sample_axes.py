"""Tells of organized scans in data sets that do not have the axes of a camera, as they are rendered without a turn."""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.viewing_axes import follows_grid, measured_pixels

logger = logging.getLogger(__name__)


def warn_of_axes(xyz: np.ndarray, path: str | Path) -> None:
    """Log that a scan looks along another axis than z, against z, or that its coordinates do not follow its pixels.

    Args:
        xyz: (H, W, 3) floats; holes are not finite or (0, 0, 0).
        path: the file, for the log.
    """
    usable, rotation = measured_pixels(xyz)
    if not usable.any():
        return
    axis = int(np.abs(rotation[2]).argmax())
    if rotation[2, 2] != 1:
        way = "along" if rotation[2, axis] > 0 else "against"
        message = (
            "%s: the scan looks %s its %s axis, but scans of data sets are rendered along z, as they are; "
            "write x to the right, y down, z away from the sensor"
        )
        logger.warning(message, path, way, "xyz"[axis])
    elif not follows_grid(xyz, usable):
        message = (
            "%s: the coordinates do not follow the pixels: this may be a picture, normals or a grid of other sides"
        )
        logger.warning(message, path)
