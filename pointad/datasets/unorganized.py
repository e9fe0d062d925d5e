"""Shared by data sets of unorganized point clouds: prepares a sample from points and labels."""

import logging

import numpy as np

from pointad.errors import InputError
from pointad.files.names import seed_of
from pointad.scans.offset import near_origin
from pointad.scans.point_cloud import PointCloud, PreparedSample, RawSample
from pointad.scans.sampling import POINT_COUNT, resample_cloud

logger = logging.getLogger(__name__)

_MANY = 100  # marked points; fewer may follow each other by chance


def prepare_cloud(sample: RawSample, points: np.ndarray, labels: np.ndarray | None, name: str) -> PreparedSample:
    """Resample a point cloud to the 112 896 points that are rendered, with their labels.

    Args:
        sample: the source of the points.
        points: (N, 3) floats; non-finite points are ignored.
        labels: (N,) bool, True is anomalous; None: no point is anomalous.
        name: seeds the choice among interpolated points, so that the same sample always gives the same points.

    Raises:
        InputError: the numbers of points and labels differ, or there are no two distinct finite points.
    """
    if labels is None:
        labels = np.zeros(len(points), bool)
    path = sample.mask_path or sample.scan_path
    if len(labels) != len(points):
        raise InputError(path, f"has {len(labels)} labels for {len(points)} points", "give one label per point")
    finite = np.isfinite(points).all(axis=1)
    if finite.sum() < 2 or not np.ptp(points[finite], axis=0).any():
        raise InputError(path, f"{finite.sum()} usable points without extent", "replace the file")
    moved = near_origin(points, finite, sample.scan_path)
    cloud = PointCloud(points=moved[finite], labels=labels[finite])
    if len(cloud.points) <= POINT_COUNT and _stand_together(labels[finite]):
        message = "%s: the marked points follow each other in the file; maps are smoothed along its order, %s"
        logger.warning(message, sample.scan_path, "so they are found more easily: shuffle the points")
    resampled = resample_cloud(cloud, seed=seed_of(name))
    return PreparedSample(point_cloud=resampled, mask=resampled.labels)


def _stand_together(labels: np.ndarray) -> bool:
    """Whether many points are marked, (N,) bool, all one after the other, as where parts of a cloud were merged."""
    places = np.flatnonzero(labels)
    return _MANY <= len(places) < len(labels) and bool(places[-1] - places[0] == len(places) - 1)
