"""Raw Eyecandies: rendered depth maps of sweets on a table, with camera poses.

<root>/<Class>/{train,val,test_public,test_private}/data/000_{depth.png,info_depth.yaml,pose.txt,image_4.png,...}
"""

import io
import logging
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pointad.datasets.archive import (
    TRAINING_SPLIT,
    class_folders,
    class_folders_if_any,
    files_in,
    inner_file,
    inner_folder,
    tell_without_scans,
)
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.organized import pictures_of
from pointad.errors import InputError
from pointad.files.existing import is_beside, lies_beside
from pointad.files.masks import read_mask
from pointad.files.pictures import read_depth_picture
from pointad.files.regular import read_bytes
from pointad.files.yaml_values import yaml_value
from pointad.rendering.views import ViewRig, directions
from pointad.scans.grid import GRID_SIZE, grid_labels, resize_nearest
from pointad.scans.point_cloud import PointCloud, PreparedSample, RawSample

logger = logging.getLogger(__name__)

NAME = "eye_pc_3d_rgb"
CLASSES = (
    "CandyCane",
    "ChocolateCookie",
    "ChocolatePraline",
    "Confetto",
    "GummyBear",
    "HazelnutTruffle",
    "LicoriceSandwich",
    "Lollipop",
    "Marshmallow",
    "PeppermintCandy",
)
BAD = "bad"
DEPTH = "depth.png"  # the end of the name of a scan
EYECANDIES_RIG = ViewRig(
    views=directions((-30, -15, 0, 10, 20), (-30, -15, 15, 30)),
    window=1036,
    gt_window=1036,
    point_size=10,
    gt_point_size=6,
    first_rotation=math.pi / 4,
    normal_radius=0.1,
    normal_neighbours=50,
    steps_back=True,
)

METRES_PER_UNIT = 1.0
FOCAL_LENGTH = 711.11 / 512  # in image widths; from the data set's documentation
LIGHTING = 4  # which of the six pictures of a scan is its RGB picture

# The table is located by two points on the border of the grid, one at its far end and one at its near end.
FAR_BORDER = 256  # flat index
NEAR_BORDER = -256  # flat index, from the end
TABLE_HEIGHT = -0.02  # metres; the axis points down: whatever is higher than this belongs to the object
FARTHEST = 1.8  # metres along the table from its near end
WIDEST = 1.0  # metres to either side
SCALE = np.array([0.1, -0.1, 0.1])  # of the points that are rendered, after swapping the y and z axes

_TRUE, _FALSE, _UNSTATED = ("1", "1.0", "true", "yes", "on"), ("0", "0.0", "false", "no", "off"), ("", "~", "null")
_REMEDY = "replace the file with the archive's own"


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train, val, test_public or test_private, see `SampleLister`."""
    samples = []
    for folder in class_folders(root, split, CLASSES, classes):
        found = [_sample(folder.name, path) for path in _depth_pictures(folder / split)]
        samples += sorted(found, key=lambda sample: sample.label)
    return samples


def list_good(root: Path, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The scans of the split `train`, all of which are good, see `GoodLister`."""
    return [
        _sample(folder.name, path, anomalous=False)
        for folder in class_folders_if_any(root, TRAINING_SPLIT, CLASSES, classes)
        for path in _depth_pictures(folder / TRAINING_SPLIT)
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan, transform it to the world frame and the 336 x 336 grid, and remove the table under the object.

    Raises:
        InputError: a file is missing, broken, or differs in shape from the depth map.
    """
    whole = read_points(sample.scan_path)
    xyz = resize_nearest(whole) * sample.reading.unit_scale(METRES_PER_UNIT)
    kept = object_points(xyz, sample.name)
    upright = np.where(kept[..., None], xyz[..., [0, 2, 1]] * SCALE, 0.0)
    places = np.flatnonzero(kept)
    if not len(places):
        raise InputError(sample.scan_path, "holds no points", _REMEDY)
    rgb, mask, resized = pictures_of(sample, whole.shape[:2])
    return PreparedSample(
        point_cloud=PointCloud(
            points=upright.reshape(-1, 3)[places],
            labels=None if mask is None else grid_labels(mask)[places],
            nonzero_indices=places.astype(np.int32),
        ),
        rgb=rgb,
        mask=mask,
        xyz=upright.astype(np.float32),
        resized=resized,
    )


def read_points(depth_path: Path) -> np.ndarray:
    """Points of a depth map, from the files next to it.

    A pixel (u, v) of depth d is the point d * inv(K P) (u, v, 1, 1 / d) with the pinhole camera K and the pose P.

    Returns:
        (H, W, 3) float64 in metres in the target frame of the pose; pixels without depth are (0, 0, 0).

    Raises:
        InputError: a file is missing or broken.
    """
    depth = read_depth(depth_path)
    height, width = depth.shape
    camera = np.eye(4)
    camera[0, 0] = camera[1, 1] = FOCAL_LENGTH * width
    camera[:2, 2] = width / 2, height / 2
    pose_path = _beside(depth_path, "pose.txt")
    try:
        inverse = np.linalg.inv(camera @ _read_pose(pose_path))
    except np.linalg.LinAlgError as error:
        raise InputError(pose_path, "is not an invertible matrix", _REMEDY) from error
    rows, columns = np.mgrid[:height, :width]
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ inverse[:3, :3].T
    return np.where(depth[..., None] > 0, rays * depth[..., None] + inverse[:3, 3], 0.0)


def read_depth(depth_path: Path) -> np.ndarray:
    """Depths (H, W) float64 in metres: the 16-bit depth map scaled to the limits in `*_info_depth.yaml`.

    Raises:
        InputError: a file is missing or broken.
    """
    info_path = _beside(depth_path, "info_depth.yaml")
    limits = (yaml_value(info_path, "normalization", side, remedy=_REMEDY) for side in ("min", "max"))
    try:
        lowest, highest = (float(limit or "") for limit in limits)
    except ValueError as error:
        raise InputError(info_path, "has no normalization with min and max", _REMEDY) from error
    if not np.isfinite([lowest, highest]).all() or not lowest < highest:
        raise InputError(info_path, f"has the depth limits {lowest} and {highest}", _REMEDY)
    return read_depth_picture(depth_path) / 65535 * (highest - lowest) + lowest


def object_points(xyz: np.ndarray, name: str) -> np.ndarray:
    """Flags (336, 336) of the points that are neither table nor background.

    Args:
        xyz: (336, 336, 3) points in the world frame.
        name: of the scan, for the log.

    Returns:
        The flags; if the border determines no table, or nothing lies on it, every point is kept, which is logged.
    """
    points = xyz.reshape(-1, 3)
    far, near = points[FAR_BORDER], points[NEAR_BORDER]
    sine, cosine = (far - near)[1:]
    length = np.hypot(sine, cosine)
    present = (xyz != 0).any(axis=-1)
    if length == 0:
        logger.warning("%s: the points on the border do not determine the table; nothing is removed", name)
        return present
    sine, cosine = sine / length, cosine / length
    x, y, z = points[:, 0], points[:, 1] - near[1], points[:, 2] - near[2]
    height, distance = cosine * y - sine * z, sine * y + cosine * z
    background = (height > TABLE_HEIGHT) | (distance > FARTHEST) | (np.abs(x) > WIDEST)
    kept = present & ~background.reshape(GRID_SIZE, GRID_SIZE)
    if not kept.any():
        logger.warning("%s: no point lies above the table; nothing is removed", name)
        return present
    return kept


def _depth_pictures(split: Path) -> list[Path]:
    folder = inner_folder(split, "data")
    depths = (path for path in files_in(folder, (".png",)) if path.name.lower().endswith(f"_{DEPTH}"))
    found = sorted(depths, key=_number)
    if not found and folder.is_dir():
        tell_without_scans(folder, (f"*_{DEPTH}",))
    return found


def _sample(class_name: str, depth_path: Path, anomalous: bool | None = None) -> RawSample:
    """One sample; whether it is anomalous is read from its files unless it is given."""
    mask_path, rgb_path = _beside(depth_path, "mask.png"), _beside(depth_path, f"image_{LIGHTING}.png")
    metadata_path = _beside(depth_path, "metadata.yaml")
    if anomalous is None and is_beside(metadata_path):
        anomalous = _is_anomalous(metadata_path)
    if anomalous is None:
        anomalous = bool(read_mask(mask_path).any())
    return RawSample(
        dataset_name=NAME,
        class_name=class_name,
        species=BAD if anomalous else GOOD,
        identifier=depth_path.name.split("_")[0],
        label=int(anomalous),
        scan_path=depth_path,
        rgb_path=rgb_path,
        mask_path=mask_path if anomalous or lies_beside(mask_path) else None,
    )


def _number(path: Path) -> tuple[int, str]:
    digits = re.match(r"\d+", path.name)
    return (int(digits[0]) if digits else -1, path.name)


def _beside(depth_path: Path, ending: str) -> Path:
    return inner_file(depth_path.parent, depth_path.name[: -len(DEPTH)] + ending)


def _read_pose(path: Path) -> np.ndarray:
    content = read_bytes(path)
    if not content.strip():
        raise InputError(path, "is empty", _REMEDY)
    try:
        pose = np.loadtxt(io.BytesIO(content), dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise InputError(path, f"is not a matrix ({error})", _REMEDY) from error
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise InputError(path, f"has shape {pose.shape} or infinite values", _REMEDY)
    if not np.allclose(pose[3], [0, 0, 0, 1]):
        row = " ".join(f"{value:g}" for value in pose[3])
        raise InputError(path, f"is no pose: its last row is {row} instead of 0 0 0 1", _REMEDY)
    return pose


def _is_anomalous(path: Path) -> bool | None:
    """What a sample's metadata say; None if they do not."""
    text = yaml_value(path, "anomalous", remedy=_REMEDY)
    if text is None or text.lower() in _UNSTATED:
        return None
    if text.lower() not in _TRUE and text.lower() not in _FALSE:
        raise InputError(path, f"anomalous: expected 0 or 1, found {text!r:.80}", _REMEDY)
    return text.lower() in _TRUE


EYECANDIES = DatasetSpecification(
    name=NAME,
    title="Eyecandies",
    classes=CLASSES,
    training_classes=("Confetto", "LicoriceSandwich", "PeppermintCandy"),
    has_color=True,
    organized=True,
    reports_aupro=True,
    rig=EYECANDIES_RIG,
    metres_per_unit=METRES_PER_UNIT,
    default_split="test_public",  # the labels of test_private are not published
    list_samples=list_samples,
    prepare=prepare,
    list_good=list_good,
    truth_patterns=("*/{split}/data/*_mask.png",),
    lists_point_cloud=True,
)
