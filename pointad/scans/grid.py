"""From an organized scan of any size to the 336 x 336 grid whose places are points, pixels and mask values at once."""

import numpy as np

from pointad.files.pictures import resize_picture
from pointad.scans.point_cloud import OrganizedScan, PointCloud

GRID_SIZE = 336
"""Side of the grid; also the side of the pictures that the encoder of the paper takes."""


def nearest_indices(source_size: int, target_size: int) -> np.ndarray:
    """Which source row each target row takes, as `torch.nn.functional.interpolate(mode="nearest")` chooses them.

    Args:
        source_size: rows that there are.
        target_size: rows that are wanted.

    Returns:
        (target_size,) int64. The product is taken in float32, as torch does: exact arithmetic would choose other rows
        for some sizes.
    """
    scale = np.float32(source_size) / np.float32(target_size)
    indices = np.floor(np.arange(target_size, dtype=np.float32) * scale).astype(np.int64)
    return np.minimum(indices, source_size - 1)


def resize_nearest(values: np.ndarray, size: int = GRID_SIZE) -> np.ndarray:
    """Bring (H, W) or (H, W, C) values to (size, size) or (size, size, C) without inventing any."""
    rows, columns = (nearest_indices(length, size) for length in values.shape[:2])
    return values[rows[:, None], columns[None, :]]


def cloud_from_scan(scan: OrganizedScan, size: int = GRID_SIZE) -> PointCloud:
    """Take the points of an organized scan that lie on the grid and are no holes.

    Args:
        scan: any height and width.
        size: side of the grid.

    Returns:
        Points in the order of the flat grid with their places in `nonzero_indices`, with colours and labels where the
        scan has a picture and a mask of its own size. A label is the bicubically resized mask above one half.
    """
    xyz = resize_nearest(scan.xyz, size).reshape(-1, 3)
    kept = np.flatnonzero(xyz[:, 2])
    return PointCloud(
        points=xyz[kept].astype(np.float64),
        labels=None if scan.mask is None else grid_labels(scan.mask, size)[kept],
        colors=None if scan.rgb is None else resize_picture(scan.rgb, size, "bicubic").reshape(-1, 3)[kept],
        nonzero_indices=kept.astype(np.int32),
    )


def grid_labels(mask: np.ndarray, size: int = GRID_SIZE) -> np.ndarray:
    """The labels (size * size,) bool of the grid's places from a mask (H, W), above 0 is anomalous."""
    binary = np.where(mask > 0, 255, 0).astype(np.uint8)
    return resize_picture(binary, size, "bicubic").reshape(-1) > 127
