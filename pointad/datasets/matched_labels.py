"""Reads one label per point of a scan, and puts those that come with coordinates in the scan's order."""

import logging
from pathlib import Path

import numpy as np
import scipy

from pointad.datasets.labelled_points import EXTENT_TOLERANCE, difference_from_scan, read_labelled_points
from pointad.errors import InputError
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PointCloud
from pointad.scans.point_labels import labels_of_rows, read_label_rows
from pointad.scans.scan_file import ScanFile

logger = logging.getLogger(__name__)

_EXACT = 1e-6  # of the scan's largest side
_ROUNDED = 4  # times the distance to the nearest row that a rounded point may be from its own
_SAME_POINT = 0.001  # of the scan's largest side; the points of another scan of the part seldom all lie so near


def read_matched_labels(path: Path, scan: ScanFile, scan_path: Path) -> np.ndarray:
    """Read the labels of a point cloud, one per row, in the order of its points.

    Rows of up to three numbers are labels as `read_labels` describes them. Rows of more are "x y z label": they belong
    to the points that have their coordinates, whatever their order, which is logged if it is another.

    Args:
        path: the ground truth.
        scan: the point cloud, N points.
        scan_path: its file, for errors.

    Returns:
        (N,) bool, True is anomalous; of another length if rows without coordinates are too few or too many.

    Raises:
        InputError: the scan has no usable point, or the ground truth is missing or broken, holds coordinates without
            labels, or has coordinates that are not those of the scan.
    """
    if not np.isfinite(scan.points).all(axis=1).any():
        raise InputError(scan_path, "holds no usable point", "replace the file")
    rows = read_label_rows(path)
    if rows.shape[1] > 3:
        return _matched(read_labelled_points(path, scan_path, scan=scan), scan.points, path, scan_path)
    if rows.shape[1] == 3 and np.isfinite(rows).all() and difference_from_scan(rows, scan, scan_path) is None:
        problem = f"holds the coordinates of {scan_path.name}, but no labels"
        raise InputError(path, problem, "give one label per line, or rows x y z label")
    return labels_of_rows(rows, path)


def read_labelled_scan(path: Path, scan_path: Path, *, known_to_differ: bool = False) -> PointCloud:
    """The points of a scan in its order, with the labels of rows "x y z label" in any order.

    Maps of clouds are smoothed along the order of the points. That of the ground truth may tell what is marked: if its
    marked rows came last, defects would be found more easily.

    Args:
        path: the ground truth.
        scan_path: the scan.
        known_to_differ: as in `read_labelled_points`.

    Returns:
        The points of the ground truth itself if the scan is a mesh, or, which is logged, if some of its points have no
        row near them.

    Raises:
        InputError: as by `read_labelled_points`.
    """
    scan = read_scan(scan_path)
    truth = read_labelled_points(path, scan_path, known_to_differ=known_to_differ, scan=scan)
    points = scan.points.reshape(-1, 3)
    if scan.is_mesh or len(points) != len(truth.points):
        return truth
    labels, unlike, _ = _in_order(truth, points)
    if unlike:
        message = "%s: has no row near %d of the %d points of %s; its own points are used, in their order"
        logger.warning(message, path, unlike, len(points), scan_path.name)
        return truth
    return PointCloud(points=points, labels=labels)


def _matched(truth: PointCloud, points: np.ndarray, path: Path, scan_path: Path) -> np.ndarray:
    labels, unlike, is_other_order = _in_order(truth, points)
    if unlike:
        problem = f"has no row near {unlike} of the {np.isfinite(points).all(axis=1).sum()} points of {scan_path.name}"
        raise InputError(path, problem, "give the labels of this scan, in its unit and axes")
    if is_other_order:
        logger.warning("%s: the rows are in another order than the points; they are matched by their coordinates", path)
    return labels


def _in_order(truth: PointCloud, points: np.ndarray) -> tuple[np.ndarray, int, bool]:
    """The labels of points (N, 3), how many of these have no row near them, and whether the rows have another order."""
    assert truth.labels is not None
    usable = np.isfinite(points).all(axis=1)
    written = np.isfinite(truth.points).all(axis=1)
    size = float(np.ptp(points[usable], axis=0).max())
    both = usable & written
    apart = float(np.abs(truth.points[both] - points[both]).max()) if both.any() else np.inf
    if apart <= _EXACT * size:
        return truth.labels, 0, False
    distance, nearest = scipy.spatial.cKDTree(truth.points[written]).query(points[usable])
    unlike = int((distance > _SAME_POINT * size).sum())
    # Rounded coordinates are nearly as far from any row as from their own; those of shuffled rows are not.
    if apart <= EXTENT_TOLERANCE * size and (unlike or apart <= _ROUNDED * distance.max()):
        return truth.labels, 0, False
    labels = np.zeros(len(points), bool)
    labels[usable] = truth.labels[written][nearest]
    return labels, unlike, True
