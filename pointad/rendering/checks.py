"""Whether the arrays of a cloud are what can be drawn; values of another kind would be drawn as something else."""

from typing import Any

import numpy as np

from pointad.errors import InputError
from pointad.rendering.splatting import MOST_POINTS
from pointad.scans.grid import GRID_SIZE
from pointad.scans.point_cloud import PointCloud

SMALLEST_EXTENT, LARGEST_EXTENT = 1e-35, 1e35  # beyond these, pictures would be white
FARTHEST = 1e5  # extents from the origin; single precision moves what lies farther by more than a pixel
UNIT_TOLERANCE = 0.01  # of the lengths of normals
POINT_CLOUD = "point cloud"  # the subject of errors; callers that know the file name that instead


def check_cloud(point_cloud: PointCloud) -> None:
    """Refuse a cloud that cannot be drawn.

    Raises:
        InputError: it has fewer than three points, more than seven million, no extent, one too small or large, lies too
            far from the origin, or holds values that are not finite; labels or positions do not match the points, or
            an array is of another kind.
    """
    points, labels = point_cloud.points, point_cloud.labels
    _check_kind(POINT_CLOUD, "points", points, "fiu", "numbers, (N, 3)")
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3:
        raise InputError(POINT_CLOUD, f"has shape {points.shape}", "give at least three points as (N, 3)")
    if len(points) > MOST_POINTS:
        raise InputError(POINT_CLOUD, f"has {len(points)} points, more than {MOST_POINTS}", "downsample it")
    if not np.isfinite(points).all():
        raise InputError(POINT_CLOUD, "holds values that are not finite", "remove these points first")
    low, high = (end.astype(np.float64) for end in (points.min(axis=0), points.max(axis=0)))
    extent = float((high - low).max())
    if not extent:  # the neighbour search would compare all pairs
        raise InputError(POINT_CLOUD, "all points lie at the same place", "give a cloud with a non-zero extent")
    if not SMALLEST_EXTENT <= extent <= LARGEST_EXTENT:
        problem = f"has an extent of {extent:.3g}, which cannot be drawn in single precision"
        raise InputError(POINT_CLOUD, problem, "give it in another unit")
    distance = float(np.maximum(abs(low), abs(high)).max())
    if distance > FARTHEST * extent:
        problem = f"lies {distance / extent:.3g} times its extent from the origin: single precision would blur it"
        raise InputError(POINT_CLOUD, problem, "subtract an offset from its coordinates")
    if labels is not None:
        _check_kind(POINT_CLOUD, "labels", labels, "b", "(N,) bool, such as labels > 0")
        if labels.shape != (len(points),):
            raise InputError(POINT_CLOUD, f"has {len(points)} points but labels {labels.shape}", "give one label each")
    if point_cloud.nonzero_indices is not None:
        _check_positions(point_cloud.nonzero_indices, len(points))


def check_normals(normals: np.ndarray, points: np.ndarray) -> None:
    """Refuse what are no normals of points (N, 3).

    Raises:
        InputError: their shape is another one, or their lengths are not 1.
    """
    _check_kind("normals", "values", normals, "f", "unit vectors, (N, 3)")
    if normals.shape != points.shape:
        raise InputError("normals", f"have shape {normals.shape}", "give one for each point as (N, 3)")
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ni,ni->n", normals, normals, dtype=np.float64)
        others = int((~(np.abs(squares - 1) <= 2 * UNIT_TOLERANCE)).sum())
    if others:
        raise InputError("normals", f"{others} of {len(normals)} do not have length 1", "divide each by its length")


def _check_positions(positions: np.ndarray, count: int) -> None:
    _check_kind(POINT_CLOUD, "grid positions", positions, "iu", "whole numbers, (N,)")
    if positions.shape != (count,):
        raise InputError(POINT_CLOUD, f"has {count} points but grid positions {positions.shape}", "give one each")
    if (
        positions.min() < 0
        or positions.max() >= GRID_SIZE * GRID_SIZE
        or (np.diff(positions.astype(np.int64)) < 1).any()
    ):
        problem = f"its grid positions do not ascend from 0 to {GRID_SIZE * GRID_SIZE - 1}"
        raise InputError(POINT_CLOUD, problem, f"give flat positions in the {GRID_SIZE} x {GRID_SIZE} grid, in order")


def _check_kind(subject: str, name: str, values: Any, kinds: str, expected: str) -> None:
    if not isinstance(values, np.ndarray) or isinstance(values, np.ma.MaskedArray):
        raise InputError(subject, f"{name} are a {type(values).__name__}", f"give a NumPy array of {expected}")
    if values.dtype.kind not in kinds:
        raise InputError(subject, f"{name} are {values.dtype}", f"give a NumPy array of {expected}")
