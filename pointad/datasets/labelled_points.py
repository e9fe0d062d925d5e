"""Reads the ground truth of point clouds, one labelled point per row, and checks that it matches the scan."""

import dataclasses
import logging
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.files import read_scan, tell_not_finite
from pointad.scans.named_columns import find_columns, plain_name
from pointad.scans.no_data import without_no_data
from pointad.scans.point_cloud import PointCloud
from pointad.scans.point_labels import (
    check_is_ground_truth,
    label_column,
    marked,
    require_few_columns,
    with_flags_as_numbers,
)
from pointad.scans.row_numbers import without_row_numbers
from pointad.scans.scan_file import ScanFile
from pointad.scans.text import TextTable, parse_table
from pointad.scans.text_dialect import decoded

logger = logging.getLogger(__name__)

_LABEL_NAMES = ("label", "labels", "gt", "mask", "anomaly", "anomalous", "ground_truth", "scalar_label", "class")
EXTENT_TOLERANCE = 0.01  # of the scan's largest side
_REMEDY = "replace the file"


def read_labelled_points(
    path: Path, scan_path: Path, *, known_to_differ: bool = False, scan: ScanFile | None = None
) -> PointCloud:
    """Read rows "x y z label"; a label above one half is anomalous.

    The label is the last column, unless the columns are named, or another column is the only one made up of just 0 and
    1, which is logged.

    Args:
        path: the ground truth.
        scan_path: the scan itself, which must have as many points in the same box; for a mesh, only the box counts, and
            it is logged that good ones have other points.
        known_to_differ: for files of published archives that do not match their scans. A difference is then logged,
            and the points of the file itself count, as in the evaluation by the data set's authors.
        scan: what `scan_path` holds, if it has been read already.

    Raises:
        InputError: a file is missing or broken, a row has fewer than four numbers, no column can be labels, a label is
            not finite, every point is marked, or the rows are not those of the scan.
    """
    check_is_ground_truth(path)
    table = parse_table(with_flags_as_numbers(decoded(read_bytes(path), path)), path)
    require_few_columns(table.values, path)
    if table.values.shape[1] < 4:
        problem = f"has {table.values.shape[1]} numbers per row, expected x y z label"
        raise InputError(path, problem, _REMEDY)
    named = find_columns(table.names).xyz if table.names is not None else None
    if table.names is None and table.values.shape[1] > 4:
        table = dataclasses.replace(table, values=without_row_numbers(table.values, path))
    coordinates = named or _coordinates(table.values)
    label = _label_column(table, coordinates, path)
    points, labels = table.values[:, coordinates], table.values[:, label]
    if not np.isfinite(labels).all():
        raise InputError(path, "has labels that are not finite", _REMEDY)
    tell_not_finite(points, path)
    points = without_no_data(points, path)
    if not np.isfinite(points).all(axis=1).any():
        raise InputError(path, "holds no usable point", _REMEDY)
    scan = scan or read_scan(scan_path)
    if scan.is_mesh:
        message = "%s: labels points of its own, but good meshes are sampled from their surfaces; use point clouds"
        logger.warning(message, path)
    difference = difference_from_scan(points, scan, scan_path)
    if difference is not None and not known_to_differ:
        raise InputError(path, *difference)
    if difference is not None:
        logger.warning("%s: %s, a known fault of this file; its own points are used", path, difference[0])
    return PointCloud(points=points, labels=marked(labels, path))


def difference_from_scan(points: np.ndarray, scan: ScanFile, scan_path: Path) -> tuple[str, str] | None:
    """How points (N, 3) differ from those of the scan, and what to do about it; None if they do not."""
    scanned = scan.points.reshape(-1, 3)
    if not scan.is_mesh and len(points) != len(scanned):
        return f"has {len(points)} rows, but {scan_path.name} has {len(scanned)} points", "give one row per point"
    own, other = (part[np.isfinite(part).all(axis=1)] for part in (points, scanned))
    tolerance = EXTENT_TOLERANCE * float(np.ptp(other, axis=0).max())
    ends = np.abs([own.min(axis=0) - other.min(axis=0), own.max(axis=0) - other.max(axis=0)])
    if ends.max() <= tolerance:
        return None
    boxes = " and ".join(f"{part.min(axis=0).round(4)} to {part.max(axis=0).round(4)}" for part in (own, other))
    problem = f"covers another region than {scan_path.name} ({boxes})"
    return problem, "give the labels of this scan, in its unit and axes"


def _coordinates(values: np.ndarray) -> tuple[int, int, int]:
    """The first three columns, or those behind a label that comes first."""
    return (1, 2, 3) if _has_both(values[:, 0]) and not _has_both(values[:, -1]) else (0, 1, 2)


def _label_column(table: TextTable, coordinates: tuple[int, ...], path: Path) -> int:
    others = [column for column in range(table.values.shape[1]) if column not in coordinates]
    if table.names is not None:
        named = [column for column in others if plain_name(table.names[column]) in _LABEL_NAMES]
        if len(named) == 1:
            return named[0]
    return label_column(table.values, others, path, "write x y z label, or name the columns")


def _has_both(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0, 1)).all() and values.min() != values.max())
