"""Resamples an organized scan to the 336 x 336 grid on which points, pixels and mask values share positions."""

import numpy as np

from pointad.files.pictures import resize_picture
from pointad.scans.point_cloud import OrganizedScan, PointCloud

GRID_SIZE = 336
"""Side of the grid; also the input size of the paper's image encoder."""


def nearest_indices(source_size: int, target_size: int) -> np.ndarray:
    """The source row for each target row, chosen as `torch.nn.functional.interpolate(mode="nearest")` does.

    Args:
        source_size: number of source rows.
        target_size: number of target rows.

    Returns:
        (target_size,) int64. The product is computed in float32, as in torch: exact arithmetic would choose other rows
        for some sizes.
    """
    scale = np.float32(source_size) / np.float32(target_size)
    indices = np.floor(np.arange(target_size, dtype=np.float32) * scale).astype(np.int64)
    return np.minimum(indices, source_size - 1)


def resize_nearest(values: np.ndarray, size: int = GRID_SIZE) -> np.ndarray:
    """Resize (H, W) or (H, W, C) values to (size, size) or (size, size, C) without interpolation."""
    rows, columns = (nearest_indices(length, size) for length in values.shape[:2])
    return values[rows[:, None], columns[None, :]]


def cloud_from_scan(scan: OrganizedScan, size: int = GRID_SIZE) -> PointCloud:
    """Resample an organized scan to the grid and return its points, without holes.

    Args:
        scan: any height and width.
        size: side of the grid.

    Returns:
        Points in the order of the flat grid, with their positions in `nonzero_indices`, and with colours and labels if
        the scan has a picture and a mask of its own size. Labels are the bicubically resized mask above one half.
    """
    xyz = resize_nearest(scan.xyz, size).reshape(-1, 3)
    kept = np.flatnonzero(xyz[:, 2])
    return PointCloud(
        points=xyz[kept].astype(np.float64),
        labels=None if scan.mask is None else grid_labels(scan.mask, size)[kept],
        colors=None if scan.rgb is None else resize_picture(scan.rgb, size).reshape(-1, 3)[kept],
        nonzero_indices=kept.astype(np.int32),
    )


def grid_labels(mask: np.ndarray, size: int = GRID_SIZE) -> np.ndarray:
    """The labels (size * size,) bool of the grid positions from a mask (H, W); above 0 is anomalous."""
    binary = np.where(mask > 0, 255, 0).astype(np.uint8)
    return resize_picture(binary, size).reshape(-1) > 127
