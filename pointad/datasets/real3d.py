"""Raw Real3D-AD, and Anomaly-ShapeNet in the same layout: unorganized clouds with one label a point.

<root>/<class>/{train/*.pcd, test/<id>_{good,bulge,sink}.pcd, gt/<id>_{bulge,sink}.txt}    rows "x y z label"

Clouds of one's own may lie there in other formats too.
"""

import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pointad.datasets.archive import class_folders
from pointad.errors import InputError
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PointCloud, PreparedSample, RawSample
from pointad.scans.sampling import resample_cloud
from pointad.scans.text import read_rows

DATASET_NAME = "real_pc_3d_rgb"
DEFAULT_SPLIT = "test"
GOOD = "good"
ANOMALY = "anomaly"

_GOOD_NAMES = ("good", "positive")  # Anomaly-ShapeNet says positive
_TEMPLATE = "temp"  # names that hold this are templates, not test samples
_TRUTH_FOLDERS = ("gt", "GT")
_SUFFIXES = (".pcd", ".ply", ".obj", ".stl", ".xyz", ".pts", ".npy", ".npz")


def list_samples(
    root: str | Path, split: str, known_classes: Iterable[str], classes: Iterable[str] | None = None
) -> list[RawSample]:
    """The samples of a split, by class, good ones first.

    Args:
        root: the folder that holds the classes: `Real3D-AD-PCD`, or Anomaly-ShapeNet's `pcd`.
        split: train or test.
        known_classes: the data set's classes, in its order.
        classes: take these only.

    Raises:
        InputError: the folder is not such an archive, or lacks a class that was asked for.
    """
    samples = []
    for folder in class_folders(root, split, known_classes, classes):
        files = sorted(path for path in (folder / split).iterdir() if path.suffix.lower() in _SUFFIXES)
        clouds = [path for path in files if _TEMPLATE not in path.stem]
        samples += sorted((_sample(folder, path) for path in clouds), key=lambda sample: sample.label)
    return samples


def prepare(sample: RawSample) -> PreparedSample:
    """Read one cloud and bring it to 112 896 points; the points of an anomalous one come with their labels.

    Raises:
        InputError: a file is missing or broken.
    """
    cloud = _read(sample)
    finite = np.isfinite(cloud.points).all(axis=1)
    labels = np.zeros(len(cloud.points), bool) if cloud.labels is None else cloud.labels
    if finite.sum() < 2 or not np.ptp(cloud.points[finite], axis=0).any():
        path = sample.mask_path or sample.scan_path
        raise InputError(path, f"{finite.sum()} usable points without extent", "replace the file")
    name = f"{sample.class_name}/{sample.identifier}"
    resampled = resample_cloud(
        PointCloud(points=cloud.points[finite], labels=labels[finite]), seed=zlib.crc32(name.encode())
    )
    return PreparedSample(point_cloud=resampled, mask=resampled.labels)


def _read(sample: RawSample) -> PointCloud:
    if sample.mask_path is None:
        return PointCloud(points=read_scan(sample.scan_path).points.reshape(-1, 3))
    rows = read_rows(sample.mask_path)
    if rows.shape[1] < 4:
        raise InputError(
            sample.mask_path, f"has {rows.shape[1]} numbers a row instead of x y z label", "replace the file"
        )
    return PointCloud(points=rows[:, :3], labels=rows[:, -1] > 0.5)


def _sample(folder: Path, path: Path) -> RawSample:
    good = any(name in path.stem for name in _GOOD_NAMES)
    return RawSample(
        dataset_name=DATASET_NAME,
        class_name=folder.name,
        species=GOOD if good else ANOMALY,
        identifier=path.stem,
        label=int(not good),
        scan_path=path,
        mask_path=None if good else _truth_path(folder, path.stem),
    )


def _truth_path(folder: Path, stem: str) -> Path:
    """The labels of an anomalous sample; where there are none, the path that reading will find missing."""
    paths = [folder / name / f"{stem}.txt" for name in _TRUTH_FOLDERS]
    return next((path for path in paths if path.exists()), paths[0])
