"""Detects coordinates whose last digits are lost, so that a smooth surface has become a staircase.

Single precision holds about seven digits: of a northing such as 5,400,000 m, nothing below half a metre is left.
"""

import logging
from pathlib import Path

import numpy as np

from pointad.scans.central_box import central_box, within_reach

logger = logging.getLogger(__name__)

FEWEST_LEVELS = 1000
"""Coordinates in steps of less than the scan's extent over this number are fine enough."""

OFFSET_STEPS = 1e5
"""So many steps away from 0, an axis has spent its digits on the offset; no sensor counts pixels from there."""

POINTS_PER_CELL = 1.1
"""So many points in each cell of the steps tell that they were rounded: a cloud thinned to voxels has one in each."""

_SAMPLE = 100_000  # points that settle it for nearly every scan


@np.errstate(all="ignore")  # coordinates as large or small as the type allows
def warn_of_coarse_coordinates(points: np.ndarray, name: str | Path, *, is_mesh: bool = False) -> None:
    """Log in one line that the coordinates of a scan are too coarse, which changes its score.

    They are if they are multiples of a power of two or ten above a fraction of the scan's extent, and if either this
    step is below a hundred thousandth of the coordinate itself, or all three axes have such steps and points share
    their places. Heights and depths in few steps, pixel grids and scan lines are therefore no reason, and neither are
    clouds with one point for each voxel.

    Args:
        points: (..., 3) floats in any unit; those that are not finite, and (0, 0, 0), do not count, nor strays.
        name: the file, for the log.
        is_mesh: the points are vertices, of which many may share a place.
    """
    flat = points.reshape(-1, 3)
    sample = _measured(flat[:: max(1, len(flat) // _SAMPLE)])
    if not len(sample):
        return
    low, high = central_box(sample)
    extent = float((high - low).max())
    if not 0 < extent < np.inf:
        return
    steps = _coarse_steps(sample, extent)
    if not steps.any():
        return
    measured = _measured(flat)
    measured = measured[within_reach(measured, low, high)]
    steps = _coarse_steps(measured, extent)
    spent = np.abs(measured).max(axis=0) >= OFFSET_STEPS * steps
    if (spent & (steps > 0)).any():
        axis = int(np.argmax(np.where(spent, steps, 0)))
        remedy = "subtract an offset before saving, or save in double precision"
        _warn(measured[:, axis], axis, float(steps[axis]), name, remedy)
        return
    if not is_mesh and steps.all() and len(measured) >= POINTS_PER_CELL * _places(measured, steps):
        axis = int(np.argmax(steps))
        _warn(measured[:, axis], axis, float(steps[axis]), name, "save with more digits")


def _places(points: np.ndarray, steps: np.ndarray) -> int:
    """How many different places points (N, 3) that are multiples of steps (3,) lie in."""
    cells = np.rint((points - points.min(axis=0)) / steps).astype(np.int64)
    return len(np.unique(np.ravel_multi_index(tuple(cells.T), tuple(cells.max(axis=0) + 1))))


def _measured(points: np.ndarray) -> np.ndarray:
    return points[np.isfinite(points).all(axis=1) & points.any(axis=1)]


def _coarse_steps(points: np.ndarray, extent: float) -> np.ndarray:
    return np.array([_step(points[:, axis], extent / FEWEST_LEVELS, extent) for axis in range(3)])


def _step(values: np.ndarray, smallest: float, largest: float) -> float:
    """The largest power of two or ten between two bounds that all values (N,) are multiples of; 0: there is none."""
    return max(_power_step(values, smallest, largest, base) for base in (2.0, 10.0))


def _power_step(values: np.ndarray, smallest: float, largest: float, base: float) -> float:
    found = 0.0
    step = base ** np.ceil(np.log(smallest) / np.log(base))
    while step <= largest and _are_multiples(values, step):
        found = float(step)
        step *= base
    return found


def _are_multiples(values: np.ndarray, step: float) -> bool:
    steps = values / step
    # Of a double, 16 digits are true: enough to tell multiples of a step of which the value has a million million.
    return bool((np.abs(steps - np.rint(steps)) <= 1e-6 + 1e-15 * np.abs(steps)).all())


def _warn(values: np.ndarray, axis: int, step: float, name: str | Path, remedy: str) -> None:
    message = "%s: %s has %d different values in %d points, in steps of %.3g, which changes its score; %s"
    logger.warning(message, name, "xyz"[axis], len(np.unique(values)), len(values), step, remedy)
