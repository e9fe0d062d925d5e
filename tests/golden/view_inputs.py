"""Nine pictures of a seeded scan with their correspondences, by a renderer of its own made for the golden tests.

It is not the project's renderer: the goldens need pictures whose bits depend on nothing but the seed.
"""

from dataclasses import dataclass

import numpy as np
from golden.scan_inputs import OBJECT_DEPTH, Scan

SIZE = 336
VIEWS = [*(("x", degrees) for degrees in (-45.0, -15.0, 0.0, 15.0, 45.0)),
         *(("y", degrees) for degrees in (-30.0, -15.0, 15.0, 30.0))]  # fmt: skip
CAMERA_DISTANCE = 0.25
LIGHT = np.array([0.35, 0.45, 0.82])


@dataclass(frozen=True)
class RenderedViews:
    """Pictures of V views of one scan and where its M points lie on them."""

    nonzero_indices: np.ndarray  # (M,) int64, flat positions of the points in the 336 × 336 grid
    pictures: np.ndarray  # (V, 336, 336, 3) uint8
    pictures_gt: np.ndarray  # (V, 336, 336) uint8, 255 where anomalous
    correspondences: np.ndarray  # (V, M, 3) int16: column, row, visible


def render_views(scan: Scan, object_pixels: int) -> RenderedViews:
    """Render all views.

    Args:
        scan: what to look at.
        object_pixels: width in pixels of an object of 9 cm; the smaller, the more points share a pixel and the more
            are nearest to the camera in no view.
    """
    xyz, mask = _nearest(scan.xyz), _nearest(scan.mask)
    indices = np.flatnonzero(xyz[..., 2].ravel() != 0)
    points = xyz.reshape(-1, 3)[indices].astype(np.float64) * np.array([1.0, -1.0, -1.0])
    centred = points - points.mean(0)
    anomalous = mask.ravel()[indices] > 127
    normals = _normals(xyz, indices)
    focal_length = object_pixels * CAMERA_DISTANCE / 0.09
    rendered = [
        _render_view(centred @ turn.T, normals @ turn.T, anomalous, focal_length)
        for turn in (_rotation(axis, degrees) for axis, degrees in VIEWS)
    ]
    pictures, pictures_gt, correspondences = (np.stack(each) for each in zip(*rendered, strict=True))
    return RenderedViews(indices, pictures, pictures_gt, correspondences)


def _render_view(
    points: np.ndarray, normals: np.ndarray, anomalous: np.ndarray, focal_length: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, ground truth and correspondences of points (M, 3) that are already turned towards the camera."""
    depth = points[:, 2]
    column = SIZE / 2 + focal_length * points[:, 0] / (CAMERA_DISTANCE - depth)
    row = SIZE / 2 - focal_length * points[:, 1] / (CAMERA_DISTANCE - depth)
    column, row = (np.clip(each.astype(int), 0, SIZE - 1) for each in (column, row))

    visible = np.zeros(len(points), np.int64)
    visible[_nearest_on_each_pixel(row * SIZE + column, depth, np.arange(len(points)))] = 1
    correspondence = np.stack([column, row, visible], 1).astype(np.int16)

    # Each point paints 3 × 3 pixels, the outer ones as if it were a little farther away.
    pixels, depths, owners = [], [], []
    for offset_row in (-1, 0, 1):
        for offset_column in (-1, 0, 1):
            y, x = row + offset_row, column + offset_column
            inside = (y >= 0) & (y < SIZE) & (x >= 0) & (x < SIZE)
            pixels.append((y * SIZE + x)[inside])
            depths.append(depth[inside] - 0.0004 * (abs(offset_row) + abs(offset_column)))
            owners.append(np.flatnonzero(inside))
    pixel, splat_depth, owner = map(np.concatenate, (pixels, depths, owners))
    front = _nearest_on_each_pixel(pixel, splat_depth, owner)

    light = np.clip(normals @ LIGHT, 0, 1)
    color = np.clip((0.18 + 0.62 * light)[:, None] * np.array([1.0, 0.95, 0.88]), 0, 1)
    picture = np.full((SIZE * SIZE, 3), 255, np.uint8)
    picture[pixel[front]] = (color * 255 + 0.5).astype(np.uint8)[owner[front]]
    picture_gt = np.zeros(SIZE * SIZE, np.uint8)
    picture_gt[pixel[front]] = anomalous[owner[front]] * 255
    return picture.reshape(SIZE, SIZE, 3), picture_gt.reshape(SIZE, SIZE), correspondence


def _nearest_on_each_pixel(pixel: np.ndarray, depth: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Positions of the entries with the largest depth on their pixel; the earliest owner wins a tie."""
    order = np.lexsort((owner, -depth, pixel))
    first = np.ones(len(order), bool)
    first[1:] = pixel[order][1:] != pixel[order][:-1]
    return order[first]


def _normals(xyz: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Unit normals of the points from the height field, by finite differences on the grid."""
    height = np.where(xyz[..., 2] != 0, OBJECT_DEPTH - xyz[..., 2], 0.0)
    slope_y, slope_x = np.gradient(height, 0.12 / SIZE)
    normals = np.stack([-slope_x, slope_y, np.ones_like(slope_x)], -1).reshape(-1, 3)[indices]
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _rotation(axis: str, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    if axis == "x":
        return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def _nearest(grid: np.ndarray) -> np.ndarray:
    index = (np.arange(SIZE) * (len(grid) / SIZE)).astype(int)
    return grid[index][:, index]
