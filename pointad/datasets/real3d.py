"""Raw Real3D-AD: unorganized point clouds with one label per point.

<root>/<class>/{train/*.pcd, test/<id>_{good,bulge,sink}.pcd, gt/<id>_{bulge,sink}.txt}    rows "x y z label"

Custom point clouds in the same layout may have other formats.
"""

import logging
import math
from collections.abc import Iterable
from pathlib import Path

from pointad.datasets.archive import (
    GOOD_NAMES,
    TRAINING_SPLIT,
    class_folders,
    class_folders_if_any,
    files_in,
    inner_file,
    inner_folder,
    scans_in,
    words_of,
)
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.labelled_points import read_labelled_points
from pointad.datasets.unorganized import prepare_cloud
from pointad.rendering.views import ViewRig, directions
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PointCloud, PreparedSample, RawSample

logger = logging.getLogger(__name__)

NAME = "real_pc_3d_rgb"
CLASSES = (
    "airplane",
    "candybar",
    "car",
    "chicken",
    "diamond",
    "duck",
    "fish",
    "gemstone",
    "seahorse",
    "shell",
    "starfish",
    "toffees",
)
ANOMALY = "anomaly"
REAL3D_RIG = ViewRig(
    views=directions((-144, -108, -72, -36, 0, 36, 72, 108, 144)),
    window=1036,
    gt_window=1036,
    point_size=12,
    gt_point_size=6,
    first_rotation=math.pi,
    normal_radius=0.8,
    normal_neighbours=30,
    steps_back=False,
)

METRES_PER_UNIT = 0.001

_GOOD_WORDS = {*GOOD_NAMES, "positive"}  # Anomaly-ShapeNet says positive
_TEMPLATE_WORDS = {"temp", "template", "templates", "prototype", "prototypes"}  # of files that are not test samples
_TRUTH = "gt"
_UNLIKE_THEIR_SCANS = {
    ("chicken", "705_bulge"),
    ("chicken", "706_sink"),
    ("seahorse", "265_bulge"),
    ("seahorse", "265_bulge_cut"),
    ("starfish", "433_bulge"),
}  # ground truth of the published archive that does not have the points of its scan
_SUFFIXES = (".pcd", ".ply", ".obj", ".stl", ".xyz", ".pts", ".asc", ".npy", ".npz")


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train or test, see `SampleLister`."""
    samples = []
    for folder in class_folders(root, split, CLASSES, classes):
        files = scans_in(folder / split, _SUFFIXES)
        clouds = [path for path in files if not words_of(path.stem) & _TEMPLATE_WORDS]
        if len(clouds) < len(files):
            logger.info(
                "%s: %d templates are skipped, as they are not test samples", folder / split, len(files) - len(clouds)
            )
        samples += sorted((_sample(folder, path) for path in clouds), key=lambda sample: sample.label)
    return samples


def list_good(root: Path, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The templates in the folder `train`: the prototypes, or all of its scans where none is called so."""
    found = []
    for folder in class_folders_if_any(root, TRAINING_SPLIT, CLASSES, classes):
        clouds = files_in(folder / TRAINING_SPLIT, _SUFFIXES)
        templates = [path for path in clouds if words_of(path.stem) & _TEMPLATE_WORDS]
        found += [
            RawSample(NAME, folder.name, GOOD, path.stem, label=0, scan_path=path) for path in templates or clouds
        ]
    return found


def prepare(sample: RawSample) -> PreparedSample:
    """Read one point cloud and resample it to 112 896 points; those of an anomalous one are labelled.

    Raises:
        InputError: a file is missing or broken.
    """
    cloud = _read(sample)
    points = cloud.points * sample.reading.unit_scale(METRES_PER_UNIT)
    return prepare_cloud(sample, points, cloud.labels, f"{sample.class_name}/{sample.identifier}")


def _read(sample: RawSample) -> PointCloud:
    if sample.mask_path is None:
        return PointCloud(points=read_scan(sample.scan_path).points.reshape(-1, 3))
    known = (sample.class_name, sample.identifier) in _UNLIKE_THEIR_SCANS
    return read_labelled_points(sample.mask_path, sample.scan_path, known_to_differ=known)


def _sample(folder: Path, path: Path) -> RawSample:
    good = bool(words_of(path.stem) & _GOOD_WORDS)
    return RawSample(
        dataset_name=NAME,
        class_name=folder.name,
        species=GOOD if good else ANOMALY,
        identifier=path.stem,
        label=int(not good),
        scan_path=path,
        mask_path=None if good else _truth_path(folder, path.stem),
    )


def _truth_path(folder: Path, stem: str) -> Path:
    """The label file of an anomalous sample; if there is none, a path that reading will report as missing."""
    return inner_file(inner_folder(folder, _TRUTH), f"{stem}.txt")


REAL3D = DatasetSpecification(
    name=NAME,
    title="Real3D-AD",
    classes=CLASSES,
    training_classes=("seahorse", "shell", "starfish"),
    has_color=False,
    organized=False,
    reports_aupro=False,
    rig=REAL3D_RIG,
    metres_per_unit=METRES_PER_UNIT,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=list_good,
    truth_patterns=("*/[gG][tT]/*",),
)
