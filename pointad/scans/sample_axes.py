"""Reads organized scans of data sets, and tells of what may be amiss in their coordinates.

Those that do not have the axes of a camera are rendered without a turn.
"""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.coarseness import warn_of_coarse_coordinates
from pointad.scans.pixel_coordinates import warn_of_pixels
from pointad.scans.scan_file import is_finite
from pointad.scans.tiff import read_xyz_tiff
from pointad.scans.viewing_axes import follows_grid, measured_pixels

logger = logging.getLogger(__name__)


def read_sample_tiff(path: Path) -> np.ndarray:
    """The points of a data set's scan, see `read_tiff_scan`; pixels or coarse steps in place of coordinates are logged.

    Raises:
        InputError: as by `read_tiff_scan`.
    """
    xyz = read_xyz_tiff(path)
    warn_of_pixels(xyz, xyz[..., 2] != 0, path)
    warn_of_coarse_coordinates(xyz, path)
    return xyz


def tell_level(xyz: np.ndarray, present: np.ndarray, path: str | Path) -> None:
    """Log how many pixels of a scan are holes because of their z alone.

    Args:
        xyz: (H, W, 3) floats.
        present: (H, W) bool, the pixels that are no holes.
        path: the file, for the log.
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN
        level = int((is_finite(xyz) & xyz.any(axis=-1) & ~present).sum())
    if level:
        message = "%s: %d of %d pixels have z = 0 and are read as holes; if 0 is a height, add a number to all"
        logger.warning(message, path, level, present.size)


def warn_of_axes(xyz: np.ndarray, path: str | Path) -> None:
    """Log that a scan looks along another axis than z, against z, or that its coordinates do not follow its pixels.

    Pixels of a data set's scan that are no points because of their z alone are logged, too.

    Args:
        xyz: (H, W, 3) floats; holes are not finite or (0, 0, 0).
        path: the file, for the log.
    """
    tell_level(xyz, xyz[..., 2] != 0, path)
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
