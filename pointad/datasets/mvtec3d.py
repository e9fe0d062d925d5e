"""Raw MVTec 3D-AD: organized scans in metres with an RGB picture and a mask of the same size.

<root>/<class>/{train,validation,test}/<good or defect>/{xyz/000.tiff,rgb/000.png,gt/000.png}
"""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from pointad.datasets.archive import (
    class_folders,
    inner_folder,
    list_training_split,
    picture_beside,
    sample_of_folder,
    scans_in,
    species_folders,
)
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_picture
from pointad.rendering.views import ViewRig, directions
from pointad.scans.cleaning import clean_scan, points_present
from pointad.scans.grid import cloud_from_scan
from pointad.scans.offset import near_origin
from pointad.scans.point_cloud import OrganizedScan, PreparedSample, RawSample
from pointad.scans.reading_options import LARGEST_CLUSTER, OWN_DATA_CLUSTERS
from pointad.scans.sample_axes import read_sample_tiff, warn_of_axes

NAME = "mvtec_pc_3d_rgb"
CLASSES = ("bagel", "cable_gland", "carrot", "cookie", "dowel", "foam", "peach", "potato", "rope", "tire")
METRES_PER_UNIT = 1.0
POINT_SIZES = {
    "bagel": 7,
    "cable_gland": 12,
    "carrot": 7,
    "cookie": 6,
    "dowel": 10,
    "foam": 8,
    "peach": 7,
    "potato": 8,
    "rope": 5,
    "tire": 8,
}
MVTEC3D_RIG = ViewRig(
    views=directions((-45, -15, 0, 15, 45), (-30, -15, 15, 30)),
    window=1024,
    gt_window=1036,
    point_size=None,  # differs by class
    gt_point_size=6,
    first_rotation=math.pi,
    normal_radius=0.1,
    normal_neighbours=50,
    steps_back=False,
)


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train, validation or test, see `SampleLister`."""
    return [
        _sample(folder.name, species, path)
        for folder in class_folders(root, split, CLASSES, classes)
        for species in species_folders(folder / split, "xyz")
        for path in scans_in(species / "xyz", (".tiff", ".tif"))
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan, remove the table and stray clusters, and resample its points to the 336 x 336 grid.

    For the data set's own classes, the largest cluster is kept, as published. For others, which a sensor may capture
    in several pieces, every cluster with more than 1 % of the points is kept; `ReadingOptions.keep_clusters` overrides
    both.

    Raises:
        InputError: a file is missing, broken, or differs in size from the scan; or the scan has no points.
    """
    xyz = read_sample_tiff(sample.scan_path)
    warn_of_axes(xyz, sample.scan_path)
    xyz = near_origin(xyz, points_present(xyz), sample.scan_path).astype(np.float32, copy=False)
    scale = sample.reading.unit_scale(METRES_PER_UNIT)
    if scale != 1:
        xyz = xyz * np.float32(scale)
    scan = OrganizedScan(
        xyz=xyz,
        rgb=None if sample.rgb_path is None else _same_size(sample.rgb_path, read_picture(sample.rgb_path, "RGB"), xyz),
        mask=None if sample.mask_path is None else _same_size(sample.mask_path, read_mask(sample.mask_path), xyz),
    )
    rule = sample.reading.keep_clusters
    if rule is None:
        rule = LARGEST_CLUSTER if sample.class_name in CLASSES else OWN_DATA_CLUSTERS
    cleaned = clean_scan(scan, sample.name, rule)
    cloud = cloud_from_scan(cleaned)
    if not len(cloud.points):
        raise InputError(sample.scan_path, "holds no points", "replace the file")
    return PreparedSample(point_cloud=cloud, rgb=cleaned.rgb, mask=cleaned.mask, xyz=cleaned.xyz)


def _sample(class_name: str, species: Path, path: Path) -> RawSample:
    picture, mask = (picture_beside(inner_folder(species, name), path.stem) for name in ("rgb", "gt"))
    return sample_of_folder(NAME, class_name, species, path, picture=picture, mask=mask, masks=species / "gt")


def _same_size(path: Path, picture: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    if picture.shape[:2] != xyz.shape[:2]:
        raise InputError(
            path, f"is {picture.shape[:2]} pixels, but the scan is {xyz.shape[:2]}", "give files of the same recording"
        )
    return picture


MVTEC3D = DatasetSpecification(
    name=NAME,
    title="MVTec 3D-AD",
    test_samples=1197,
    classes=CLASSES,
    training_classes=("carrot", "cookie", "dowel"),
    has_color=True,
    organized=True,
    reports_aupro=True,
    rig=MVTEC3D_RIG,
    point_sizes=POINT_SIZES,
    metres_per_unit=METRES_PER_UNIT,
    chooses_clusters=True,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=partial(list_training_split, list_samples),
    truth_patterns=("*/{split}/*/[gG][tT]/*",),
)
