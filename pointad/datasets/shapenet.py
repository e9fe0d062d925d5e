"""Raw Anomaly-ShapeNet: point clouds of 8,000 to 30,000 points with one label per point.

<root>/<class>/{train/*template*.pcd, test/<class>_<kind><n>.pcd, GT/<class>_<kind><n>.txt}    rows "x y z label"

<root> is the archive's folder `pcd` or its parent. Rows may be separated by commas or spaces.
"""

import dataclasses
import logging
import math
import re
from collections.abc import Iterable
from pathlib import Path

from pointad.datasets.archive import (
    TRAINING_SPLIT,
    class_folders,
    class_folders_if_any,
    files_in,
    inner_file,
    inner_folder,
    scans_in,
)
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.labelled_points import read_labelled_points
from pointad.datasets.real3d import REAL3D_RIG
from pointad.datasets.unorganized import prepare_cloud
from pointad.errors import counted
from pointad.files.existing import is_folder_beside
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PreparedSample, RawSample

logger = logging.getLogger(__name__)

NAME = "shapenet_pc_3d"
CLASSES = (
    *("ashtray0", "bag0", "bottle0", "bottle1", "bottle3", "bowl0", "bowl1", "bowl2", "bowl3", "bowl4", "bowl5"),
    *("bucket0", "bucket1", "cap0", "cap3", "cap4", "cap5", "cup0", "cup1", "eraser0", "headset0", "headset1"),
    *("helmet0", "helmet1", "helmet2", "helmet3", "jar0", "microphone0", "shelf0", "tap0", "tap1", "vase0"),
    *("vase1", "vase2", "vase3", "vase4", "vase5", "vase7", "vase8", "vase9"),
)
CLOUD_RIG = dataclasses.replace(REAL3D_RIG, normal_radius=math.inf)
"""The rig of Real3D-AD for any unit: normals come from the 30 nearest points, however far away they are."""

UNKNOWN_KIND = "anomaly"
_GOOD_KINDS = ("positive", "good")
_TEMPLATE = "template"
_INNER = "pcd"
_UNLIKE_THEIR_SCANS = {
    f"helmet1_{kind}" for kind in ("bulge0", "bulge2", "bulge6", "concavity3", "concavity5")
}  # ground truth of the published archive that does not have the points of its scan


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train or test, see `SampleLister`; the species is the kind of defect in the file name."""
    samples = []
    for folder in class_folders(_inner(root), split, CLASSES, classes):
        files = scans_in(folder / split, (".pcd",))
        clouds = [path for path in files if not _is_template(path, folder.name)]
        if len(clouds) < len(files):
            told = counted(len(files) - len(clouds), "template")
            logger.info("%s: %s left out, no test samples", folder / split, told)
        samples += sorted((_sample(folder, path) for path in clouds), key=lambda one: (one.label, one.species))
    return samples


def list_good(root: Path, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The templates in the folder `train`, see `GoodLister`."""
    return [
        RawSample(NAME, folder.name, GOOD, path.stem, label=0, scan_path=path)
        for folder in class_folders_if_any(_inner(root), TRAINING_SPLIT, CLASSES, classes)
        for path in files_in(folder / TRAINING_SPLIT, (".pcd",))
        if _is_template(path, folder.name)
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read one point cloud and resample it to 112 896 points; those of an anomalous one are labelled.

    Raises:
        InputError: a file is missing or broken.
    """
    name = f"{sample.class_name}/{sample.identifier}"
    if sample.mask_path is None:
        return prepare_cloud(sample, read_scan(sample.scan_path).points, None, name)
    known = sample.identifier in _UNLIKE_THEIR_SCANS
    cloud = read_labelled_points(sample.mask_path, sample.scan_path, known_to_differ=known)
    return prepare_cloud(sample, cloud.points, cloud.labels, name)


def defect_kind(stem: str, class_name: str) -> str:
    """The kind of defect in a file's name: bulge for ashtray0_bulge0, concavity for 2_concavity; good for positive."""
    rest = stem.removeprefix(class_name).strip("_")
    kind = re.sub(r"^\d+_|_?\d+$", "", rest)
    if any(name in kind.lower() for name in _GOOD_KINDS):
        return GOOD
    return kind or UNKNOWN_KIND


def _is_template(path: Path, class_name: str) -> bool:
    """Whether a file is called a template, whatever its class is called."""
    return _TEMPLATE in path.stem.removeprefix(class_name).lower()


def _inner(root: Path) -> Path:
    return root / _INNER if is_folder_beside(root / _INNER) else root


def _sample(folder: Path, path: Path) -> RawSample:
    kind = defect_kind(path.stem, folder.name)
    return RawSample(
        dataset_name=NAME,
        class_name=folder.name,
        species=kind,
        identifier=path.stem,
        label=int(kind != GOOD),
        scan_path=path,
        mask_path=None if kind == GOOD else inner_file(inner_folder(folder, "GT"), f"{path.stem}.txt"),
    )


SHAPENET = DatasetSpecification(
    name=NAME,
    title="Anomaly-ShapeNet",
    classes=CLASSES,
    training_classes=("ashtray0", "bag0", "bottle0"),  # this project's choice
    has_color=False,
    organized=False,
    reports_aupro=True,
    further_metrics=("pixel_ap",),
    rig=CLOUD_RIG,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=list_good,
    truth_patterns=("*/[gG][tT]/*", "pcd/*/[gG][tT]/*"),
)
