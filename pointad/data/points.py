"""The points of a rendered sample, read back from the scan that it was rendered from."""

from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.grid import resize_nearest
from pointad.scans.pcd import read_pcd
from pointad.scans.tiff import read_xyz_tiff


def read_points(path: Path | None, nonzero_indices: np.ndarray | None, views_folder: Path, size: int) -> np.ndarray:
    """Read the points of a sample that its correspondences refer to.

    Args:
        path: the organized scan (`.tiff`), whose holes are zero, or a point cloud (`.pcd`).
        nonzero_indices: the points' grid positions; None if every position holds a point.
        views_folder: `2d_rendering/<id>`, to name the sample if there is no file.
        size: side of the grid.

    Returns:
        (M, 3) floating point, in the order of the correspondences.

    Raises:
        InputError: the file is missing or broken, or its points are not the rendered ones.
    """
    if path is None:
        raise InputError(views_folder, "the sample's entry names no scan (d3_pc)", "render the sample again")
    if path.suffix.lower() == ".pcd":
        return read_pcd(path).points
    grid = resize_nearest(read_xyz_tiff(path), size).reshape(-1, 3)
    if nonzero_indices is None:
        return grid
    if len(nonzero_indices) and nonzero_indices.max() >= len(grid):
        raise InputError(
            path, f"does not match the points' positions on a grid of {size} x {size}", "render the sample again"
        )
    return grid[nonzero_indices]
