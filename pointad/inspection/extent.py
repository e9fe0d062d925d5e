"""Refuses points that no surface can be seen in: too few of them, all in one place, or all on one line."""

import numpy as np

from pointad.errors import InputError, counted
from pointad.scans.line import on_a_line
from pointad.scans.scan_file import FEWEST_POINTS

SMALLEST_EXTENT = 1e-300  # what lies closer together is lost in rounding


def check_count(measured: int, on_grid: int = FEWEST_POINTS) -> None:
    """Refuse scans of too few points.

    Args:
        measured: points of the scan that take part.
        on_grid: those that remain on the grid that an organized scan is resampled to.

    Raises:
        InputError: there are too few.
    """
    remedy = f"give a scan with at least {FEWEST_POINTS}"
    if measured < FEWEST_POINTS:
        raise InputError("scan", f"holds {counted(measured, 'point')}", remedy)
    if on_grid < FEWEST_POINTS:
        problem = f"holds {counted(measured, 'point')}, of which {on_grid} remain on the grid that it is resampled to"
        raise InputError("scan", problem, f"{remedy} on that grid, such as the part of it that holds the object")


def check_extent(points: np.ndarray) -> None:
    """Refuse points (N, 3), in any unit, that cannot be a scan of a surface.

    Raises:
        InputError: they have no extent but along a line.
    """
    extent = float(np.ptp(points, axis=0).max())
    if not extent > 0:
        raise InputError("scan", "all its points lie in one place", "give a scan of a surface")
    if extent < SMALLEST_EXTENT:
        raise InputError("scan", f"has an extent of {extent:.3g}", "give it in a smaller unit")
    if on_a_line(points):
        raise InputError("scan", "all its points lie on one line", "give a scan of a surface")
