"""Reads one label per point of a scan, and puts those that come with coordinates in the scan's order."""

import logging
from pathlib import Path

import numpy as np
import scipy

from pointad.compute.searches import without_crowds
from pointad.datasets.labelled_points import EXTENT_TOLERANCE, difference_from_scan, read_labelled_points
from pointad.errors import InputError
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


def _matched(truth: PointCloud, points: np.ndarray, path: Path, scan_path: Path) -> np.ndarray:
    assert truth.labels is not None
    usable = np.isfinite(points).all(axis=1)
    written = np.isfinite(truth.points).all(axis=1)
    size = float(np.ptp(points[usable], axis=0).max())
    both = usable & written
    apart = float(np.abs(truth.points[both] - points[both]).max()) if both.any() else np.inf
    if apart <= _EXACT * size:
        return truth.labels
    rows = np.flatnonzero(written)
    crowds = without_crowds(truth.points[rows], 1)
    rows = rows if crowds is None else rows[crowds[0]]
    distance, nearest = scipy.spatial.cKDTree(truth.points[rows]).query(points[usable])
    unlike = int((distance > _SAME_POINT * size).sum())
    # Rounded coordinates are nearly as far from any row as from their own; those of shuffled rows are not.
    if apart <= EXTENT_TOLERANCE * size and (unlike or apart <= _ROUNDED * distance.max()):
        return truth.labels
    if unlike:
        problem = f"has no row near {unlike} of the {len(distance)} points of {scan_path.name}"
        raise InputError(path, problem, "give the labels of this scan, in its unit and axes")
    logger.warning("%s: the rows are in another order than the points; they are matched by their coordinates", path)
    labels = np.zeros(len(points), bool)
    labels[usable] = truth.labels[rows[nearest]]
    return labels
