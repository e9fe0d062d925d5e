"""Shared by data sets of organized scans in an unknown unit: prepares a sample from an array of points."""

import dataclasses
import logging
import math
from pathlib import Path

import numpy as np
from PIL import Image

from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_picture
from pointad.scans.cleaning import check_proportions, pad_to_square, points_present
from pointad.scans.grid import cloud_from_scan
from pointad.scans.offset import near_origin
from pointad.scans.point_cloud import OrganizedScan, PreparedSample, RawSample
from pointad.scans.sample_axes import warn_of_axes

logger = logging.getLogger(__name__)

SCAN_RIG = dataclasses.replace(MVTEC3D_RIG, normal_radius=math.inf)
"""The rig of MVTec 3D-AD for any unit: normals come from the 50 nearest points, and the point size from the spacing of
the points."""

_SAME_SHAPE = 0.01  # tolerance between the aspect ratios of a picture and its scan


def prepare_scan(sample: RawSample, xyz: np.ndarray) -> PreparedSample:
    """Pad a scan with its picture and mask to a square and resample its points to the 336 x 336 grid.

    Nothing is removed: neither the unit nor the background is known.

    Args:
        sample: the paths of picture and mask.
        xyz: (H, W, 3) floats; holes are (0, 0, 0).

    Raises:
        InputError: a file is missing, broken or differs in shape from the scan; or the scan has no points or is too
            elongated.
    """
    shape = xyz.shape[:2]
    check_proportions(shape[0], shape[1], str(sample.scan_path))
    rgb, mask, resized = pictures_of(sample, shape)
    warn_of_axes(xyz, sample.scan_path)
    xyz = near_origin(xyz, points_present(xyz), sample.scan_path).astype(np.float32)
    square = pad_to_square(OrganizedScan(xyz=xyz, rgb=rgb, mask=mask))
    cloud = cloud_from_scan(square)
    if not len(cloud.points):
        raise InputError(sample.scan_path, "holds no points", "replace the file")
    return PreparedSample(cloud, square.rgb, square.mask, square.xyz, resized)


def pictures_of(
    sample: RawSample, shape: tuple[int, int]
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[Path, ...]]:
    """The picture and the mask of a sample in the size of its scan (H, W), and the files that have another size.

    Raises:
        InputError: a file is missing or broken, or its aspect ratio is not that of the scan.
    """
    rgb = None if sample.rgb_path is None else read_picture(sample.rgb_path, "RGB")
    mask = None if sample.mask_path is None else read_mask(sample.mask_path)
    given = ((sample.rgb_path, rgb), (sample.mask_path, mask))
    fitting = [None if values is None else fitted(values, shape, path or sample.scan_path) for path, values in given]
    resized = [path for path, values in given if path is not None and values is not None and values.shape[:2] != shape]
    return fitting[0], fitting[1], tuple(resized)


def fitted(picture: np.ndarray, shape: tuple[int, int], path: Path) -> np.ndarray:
    """Resize a picture (h, w) or (h, w, 3) uint8 to the size of its scan (H, W); masks stay 0 or 255.

    Raises:
        InputError: the aspect ratios differ: the picture shows another part of the scene than the scan.
    """
    height, width = picture.shape[:2]
    if (height, width) == shape:
        return picture
    if abs(height / width * shape[1] / shape[0] - 1) > _SAME_SHAPE:
        raise InputError(
            path, f"is {(height, width)} pixels, but the scan is {shape}", "give files of the same recording"
        )
    if picture.ndim == 3:
        return np.asarray(Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BICUBIC))
    resized = np.asarray(Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BILINEAR))
    return np.where(resized >= 128, 255, 0).astype(np.uint8)


def depth_to_points(xyz: np.ndarray, path: Path) -> np.ndarray:
    """Recognize a depth map from 0 to 1 that was copied to three channels, and convert it to points.

    Args:
        xyz: (H, W, 3) floats.
        path: of the scan, for the log.

    Returns:
        The given array if it is not such a map. Otherwise (H, W, 3) float32 points (column, row, depth): columns and
        rows in units of the longer side of the image, depth unchanged; pixels of depth 0 are holes. This is logged.
    """
    depth = xyz[..., 2]
    copied = (xyz[..., 0] == depth).all() and (xyz[..., 1] == depth).all()
    if not copied or depth.min() < 0 or depth.max() > 1:
        return xyz
    logger.warning(
        "%s holds a depth map, not points: x and y are set to column and row in units of the longer side, "
        "z to the depth",
        path,
    )
    height, width = depth.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    points = np.stack([columns, rows, depth], axis=-1).astype(np.float32)
    return np.where(depth[..., None] > 0, points, np.float32(0))
