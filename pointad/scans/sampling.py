"""Resamples an unorganized point cloud of any size to the number of points that the pipeline works with."""

import logging
from dataclasses import dataclass

import numpy as np
import scipy

from pointad.compute.library_loading import raise_lack
from pointad.compute.open3d_library import load_open3d
from pointad.compute.searches import without_crowds
from pointad.errors import InputError, counted
from pointad.scans.grid import GRID_SIZE
from pointad.scans.point_cloud import PointCloud

logger = logging.getLogger(__name__)

POINT_COUNT = GRID_SIZE * GRID_SIZE
"""112 896: as many points as an organized scan has grid positions."""

NEIGHBOURS = 3
STEPS = (0.25, 0.5, 0.75)  # fraction of the way to a neighbour

_TREE_HEIGHT = 9  # of the sampler's tree; the fastest for a million points


@dataclass(frozen=True)
class Resampling:
    """Resampled points, and where each comes from."""

    points: np.ndarray  # (M, 3) float64
    sources: np.ndarray  # (M,) int64: the given point that each one equals or, if interpolated, is nearest to


def resample_cloud(cloud: PointCloud, count: int = POINT_COUNT, seed: int = 0) -> PointCloud:
    """Resample a point cloud to `count` points; labels and colours come from the nearer given point.

    Raises:
        InputError: fewer than two points.
    """
    resampling = resample(cloud.points, count, seed)
    return PointCloud(
        points=resampling.points,
        labels=None if cloud.labels is None else cloud.labels[resampling.sources],
        colors=None if cloud.colors is None else cloud.colors[resampling.sources],
    )


def resample(points: np.ndarray, count: int = POINT_COUNT, seed: int = 0) -> Resampling:
    """Reduce a larger cloud by farthest-point sampling, or interpolate a smaller one (PointAD, appendix on Real3D-AD).

    Args:
        points: (N, 3) finite floats.
        count: the number of points to return.
        seed: for choosing among interpolated points.

    Returns:
        Exactly `count` points. If there were fewer to begin with, they come first, in their order.

    Raises:
        InputError: fewer than two points.
    """
    points = np.asarray(points, dtype=np.float64)
    if len(points) < 2:
        raise InputError("point cloud", f"has {len(points)} points", "give a point cloud with more points")
    if len(points) > count:
        sources = farthest_points(points, count)
        return Resampling(points[sources], sources)
    return _interpolate(points, count, np.random.default_rng(seed))


def farthest_points(points: np.ndarray, count: int) -> np.ndarray:
    """Choose points one by one, each as far as possible from those chosen before (farthest-point sampling).

    The first one is always the same for the same points. Where fpsample is not installed (for Python 3.13
    and later, it must be compiled), Open3D chooses, about twenty times slower, and begins with another point.

    Args:
        points: (N, 3) finite floats.
        count: how many, at most N.

    Returns:
        (count,) different int64 indices, in the order of choice if fpsample chose and ascending if Open3D did.

    Raises:
        InputError: neither can be loaded, or there are not so many points.
        MemoryError: one is there, but memory does not suffice to load it.
    """
    if not 1 <= count <= len(points):
        problem = f"cannot be chosen of {counted(len(points), 'point')}"
        raise InputError(f"count {count}", problem, "give at least 1, and at most as many as there are")
    if len(points) == 1:
        return np.zeros(1, np.int64)
    centered = points - points.mean(axis=0)
    _, exponent = np.frexp(np.abs(centered).max())
    centered = np.ldexp(centered, -exponent)  # which rounds nothing; squares of any unit are then numbers
    try:
        import fpsample  # imported here: other data sets do not need it
    except ImportError as error:
        raise_lack("fpsample", error)
        logger.warning(
            "fpsample is not installed: Open3D thins the cloud, slower and to other points; pip install fpsample"
        )
        return _farthest_by_open3d(centered, count)
    # The sampler computes in float32; relative to the centre that is as precise as any scanner.
    height = min(_TREE_HEIGHT, max(1, int(np.log2(len(points)))))
    chosen = fpsample.bucket_fps_kdline_sampling(centered.astype(np.float32), count, h=height, start_idx=0)
    return _different(chosen.astype(np.int64), len(points))


def _different(chosen: np.ndarray, count: int) -> np.ndarray:
    """The choice (M,) among so many points; where all others equal chosen ones, the sampler repeats one of these."""
    _, first = np.unique(chosen, return_index=True)
    if len(first) == len(chosen):
        return chosen
    repeated, unused = np.ones(len(chosen), bool), np.ones(count, bool)
    repeated[first], unused[chosen] = False, False
    chosen[repeated] = np.flatnonzero(unused)[: repeated.sum()]
    return chosen


def _farthest_by_open3d(points: np.ndarray, count: int) -> np.ndarray:
    """The same rule by Open3D's sampler, beginning far from the centre, the origin; indices travel as colours."""
    try:
        open3d = load_open3d()
    except ImportError as error:
        problem = f"not installed, and Open3D, which could stand in for it, cannot be loaded ({error})"
        raise InputError("fpsample", problem, "pip install fpsample, or install what Open3D lacks") from error
    first = int(np.square(points).sum(axis=1).argmax())
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(np.repeat(np.arange(len(points), dtype=float)[:, None], 3, axis=1))
    return np.asarray(cloud.farthest_point_down_sample(count, first).colors)[:, 0].astype(np.int64)


def _interpolate(points: np.ndarray, count: int, rng: np.random.Generator) -> Resampling:
    """Add points between neighbours; a round makes at most ten out of one, so small clouds need several rounds."""
    sources = np.arange(len(points))
    while len(points) < count:
        new_points, origins = _between(points)
        missing = count - len(points)
        if missing < len(new_points):
            chosen = np.sort(rng.choice(len(new_points), size=missing, replace=False))
            new_points, origins = new_points[chosen], origins[chosen]
        points = np.concatenate([points, new_points])
        sources = np.concatenate([sources, sources[origins]])
    return Resampling(points, sources)


def _between(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All points between points and their nearest neighbours, and the index of the nearer end of each."""
    neighbours = min(NEIGHBOURS, len(points) - 1)
    nearest = _nearest_others(points, neighbours)
    own = np.broadcast_to(np.arange(len(points))[:, None, None], (len(points), neighbours, len(STEPS)))
    steps = np.array(STEPS)
    other = np.broadcast_to(nearest[..., None], own.shape)
    on_the_way = points[own] + steps[:, None] * (points[other] - points[own])
    nearer = np.where(steps <= 0.5, own, other)
    return on_the_way.reshape(-1, 3), nearer.reshape(-1)


def _nearest_others(points: np.ndarray, count: int) -> np.ndarray:
    """The nearest points (N, count) of each point, without the point itself, or one that equals it."""
    crowds = without_crowds(points, count + 1)
    if crowds is not None:
        kept, stands_for = crowds
        return kept[_nearest_others(points[kept], count)][stands_for]
    return np.asarray(scipy.spatial.cKDTree(points).query(points, k=range(2, count + 2))[1])
