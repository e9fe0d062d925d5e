"""Draws all views of a scene at once with PyTorch, on any device with double precision.

The steps are those of `drawing`, with a leading dimension V for the views; every operation rounds as in NumPy, so that
a GPU draws the same pictures. As long as the device's arithmetic rounds correctly, the result does not depend on it.
Numbers in quotients are tensors (`_number`): PyTorch multiplies by a reciprocal, which rounds twice, where one of both
is a number of Python's (the dividend everywhere, the divisor on GPUs). 1 / x and x / 2 are the same either way.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pointad.compute.device import choose_device
from pointad.errors import InputError
from pointad.rendering.batched_resizing import resize_batch
from pointad.rendering.batched_shading import shade_batch
from pointad.rendering.camera import RETREAT, TAN_HALF_FIELD, ZOOM, focal_length
from pointad.rendering.scene import SURFACE_TOLERANCE, Scene
from pointad.rendering.shading import BACKGROUND
from pointad.rendering.views import ViewRig

# As in `splatting`, but the nearest point has the largest number, because pooling takes maxima.
_EMPTY = 0x10000000
_FIRST = _EMPTY + 256


def check_device(device: torch.device) -> None:
    """Refuse a device that cannot draw.

    Raises:
        InputError: the device does not support double precision.
    """
    if device.type == "mps":
        raise InputError(f"device {device}", "lacks double precision", "render on the CPU, at about 0.1 s per scan")


@dataclass(frozen=True)
class Cameras:
    """The cameras of V views; see `camera.Camera`."""

    center: Tensor  # (V, 3) float64
    extent: Tensor  # (V, 1) float64
    distance: Tensor  # (V, 1) float64

    @property
    def eye_z(self) -> Tensor:
        return self.center[:, 2:] + self.distance


@dataclass(frozen=True)
class DrawnBatch:
    """Positions of the points in the windows and their depth order; see `splatting.DrawnPoints`."""

    x: Tensor  # (V, N) float32
    y: Tensor  # (V, N) float32
    rank: Tensor  # (V, N) int64, 0 for the nearest point
    order: Tensor  # (V, N) int64, the points front to back; points that are not drawn come last
    seen: Tensor  # (V, N) bool


def draw_views_batched(scene: Scene, device: torch.device | str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (V, S, S) uint8, ground truth (V, S, S) uint8 and correspondences (V, N, 3) int16 of a scene.

    Raises:
        InputError: the device is unknown, not available, or does not support double precision.
    """
    device = choose_device(device)
    check_device(device)
    rig, size = scene.rig, scene.image_size
    points = _rotate(torch.as_tensor(scene.centred, device=device), scene.rig)
    points += torch.as_tensor(scene.center, device=device)[:, None]
    normals = _rotate(torch.as_tensor(scene.normals, device=device), scene.rig)
    default_cameras = _look_at(points)
    cameras = _step_back(points, default_cameras, rig.window) if rig.steps_back else default_cameras

    drawn = _draw_order(points, cameras)
    greys = shade_batch(points, normals, cameras.center, cameras.extent, cameras.distance)
    cells = _splat(drawn, greys, BACKGROUND, rig.window, scene.point_size)
    views = resize_batch(cells.to(torch.uint8), size)
    if scene.labels is None:
        views_gt = torch.zeros_like(views)
    else:
        gt_drawn = _draw_order(points, default_cameras) if rig.steps_back else drawn
        values = torch.as_tensor(scene.labels, device=device).to(torch.uint8).mul(255).expand_as(greys)
        views_gt = resize_batch(_splat(gt_drawn, values, 0, rig.gt_window, rig.gt_point_size).to(torch.uint8), size)
    correspondences = _correspondences(scene, points, cameras, drawn, cells)
    return views.cpu().numpy(), views_gt.cpu().numpy(), correspondences.cpu().numpy()


def _rotate(rows: Tensor, rig: ViewRig) -> Tensor:
    """Directions or centred points (3, N) rotated into every view, (V, 3, N), in their own dtype."""
    x, y, z = rows
    turned = []
    for view in rig.views:
        cosine, sine = math.cos(math.radians(view.degrees)), math.sin(math.radians(view.degrees))
        if view.axis == "x":
            turned.append(torch.stack((x, cosine * y - sine * z, sine * y + cosine * z)))
        else:
            turned.append(torch.stack((cosine * x + sine * z, y, cosine * z - sine * x)))
    return torch.stack(turned)


def _look_at(points: Tensor) -> Cameras:
    low, high = points.amin(dim=2), points.amax(dim=2)
    extent = (high - low).amax(dim=1, keepdim=True)
    if bool((extent <= 0).any()):
        raise InputError("point cloud", "all points lie at the same place", "give a cloud with a non-zero extent")
    return Cameras((low + high) / 2, extent, ZOOM * extent / _number(TAN_HALF_FIELD, extent))


def _number(value: float, like: Tensor) -> Tensor:
    """A number as a tensor without dimensions, of the type and on the device of another tensor."""
    return torch.full((), value, dtype=like.dtype, device=like.device)


def _step_back(points: Tensor, cameras: Cameras, window: int) -> Cameras:
    focal = focal_length(window)
    depth = cameras.eye_z - points[:, 2]
    missing = torch.zeros_like(cameras.distance)
    for offset in (points[:, 0] - cameras.center[:, :1], cameras.center[:, 1:2] - points[:, 1]):
        needed = torch.where(offset > 0, offset * (focal / (window / 2 + 0.5)), offset * (-focal / (window / 2 - 0.5)))
        missing = torch.maximum(missing, (needed - depth).amax(dim=1, keepdim=True))
    steps = torch.ceil(missing / _number(RETREAT, missing) - 1e-9).clamp(min=1)
    return Cameras(cameras.center, cameras.extent, cameras.distance + RETREAT * steps)


def _draw_order(points: Tensor, cameras: Cameras) -> DrawnBatch:
    near = torch.maximum(0.01 * cameras.extent, cameras.distance - 3.0 * cameras.extent)
    far = cameras.distance + 3.0 * cameras.extent
    x, y, z = points.float().unbind(dim=1)
    depth_scale = (-(far + near) / (far - near)).float()
    depth_offset = (-2.0 * far * near / (far - near)).float()
    eye_x, eye_y, eye_z = cameras.center[:, :1].float(), cameras.center[:, 1:2].float(), cameras.eye_z.float()
    lens = _number(1.0 / TAN_HALF_FIELD, x)

    inverse = 1 / (eye_z - z)
    x = (lens * x + lens * -eye_x) * inverse
    y = (lens * y + lens * -eye_y) * inverse
    depth = (depth_scale * z + (depth_scale * -eye_z + depth_offset)) * inverse * 0.5 + 0.5
    seen = (x.abs() <= 1) & (y.abs() <= 1) & (depth >= 0) & (depth <= 1)

    index = torch.arange(x.shape[1], device=x.device)
    keys = (depth.view(torch.int32).long() << 32) | index
    order = keys.masked_fill(~seen, torch.iinfo(torch.int64).max).argsort(dim=1)
    rank = torch.empty_like(order).scatter_(1, order, index.expand_as(order))
    return DrawnBatch(x, y, rank, order, seen)


def _splat(drawn: DrawnBatch, values: Tensor, background: int, window: int, point_size: int) -> Tensor:
    """Rank and value of the winning point of each pixel, (V, window, window) int32."""
    count = drawn.x.shape[1]
    side = window + point_size  # squares may start before the first pixel
    columns = _first_pixel(drawn.x, window, point_size) + point_size
    rows = window - _first_pixel(drawn.y, window, point_size)  # counted from the top
    numbers = (_FIRST + (count - 1 - drawn.rank) * 256 + values).int()
    place = torch.where(drawn.seen, rows * side + columns, side * side).long()  # the last cell takes what is not drawn
    cells = torch.full((len(values), side * side + 1), _EMPTY + background, dtype=torch.int32, device=values.device)
    cells.scatter_reduce_(1, place, numbers, "amax")
    # As float bits the numbers sort the same. Each pixel takes the largest of the cells whose squares reach it.
    grid = cells[:, :-1].view(torch.float32).reshape(-1, 1, side, side)[..., 1:, 1:]
    pooled = F.max_pool2d(F.max_pool2d(grid, (point_size, 1), stride=1), (1, point_size), stride=1)
    return pooled[:, 0].contiguous().view(torch.int32)


def _first_pixel(position: Tensor, window: int, point_size: int) -> Tensor:
    pixels = (position.double() * (window / 2) + window / 2).float()
    return (((pixels - 0.5) * 256 + 0.5).int() - (128 * point_size - 255)) >> 8


def _correspondences(scene: Scene, points: Tensor, cameras: Cameras, drawn: DrawnBatch, cells: Tensor) -> Tensor:
    """Column, row and visibility of all points in all views, (V, N, 3) int16."""
    window, size = scene.rig.window, scene.image_size
    x, y, z = points.unbind(dim=1)
    scale = _number(focal_length(window), z) / (cameras.eye_z - z)
    middle = window / 2 - 0.5
    columns = (x - cameras.center[:, :1]) * scale + middle
    rows = middle - (y - cameras.center[:, 1:2]) * scale
    shift = 0.5 if scene.centred_correspondence else 0.0
    column, row = (
        ((position + shift) * size / _number(window, z)).clamp(0, size - 1).long() for position in (columns, rows)
    )
    if scene.surface_visibility:
        visible = _surface_visible(columns, rows, z, drawn, cells, SURFACE_TOLERANCE * cameras.extent)
    else:
        visible = _nearest_visible(row * size + column, z, size)
    return torch.stack((column, row, visible.long()), dim=2).to(torch.int16)


def _nearest_visible(pixels: Tensor, nearness: Tensor, size: int) -> Tensor:
    views, count = pixels.shape
    nearest = nearness.new_full((views, size * size), -torch.inf).scatter_reduce_(1, pixels, nearness, "amax")
    index = torch.arange(count, device=pixels.device).expand_as(pixels)
    candidate = torch.where(nearness == nearest.gather(1, pixels), index, count)
    winner = pixels.new_full((views, size * size), count).scatter_reduce_(1, pixels, candidate, "amin")
    return winner.gather(1, pixels) == index


def _surface_visible(
    columns: Tensor, rows: Tensor, nearness: Tensor, drawn: DrawnBatch, cells: Tensor, tolerance: Tensor
) -> Tensor:
    window = cells.shape[-1]
    column, row = ((position + 0.5).floor().long().clamp(0, window - 1) for position in (columns, rows))
    cell = cells.flatten(1).gather(1, row * window + column)
    covered = cell >= _FIRST
    rank = drawn.rank.shape[1] - 1 - ((cell - _FIRST) >> 8).long()
    winner = drawn.order.gather(1, torch.where(covered, rank, 0))
    front = torch.where(covered, nearness.gather(1, winner), -torch.inf)
    return drawn.seen & (nearness >= front - tolerance)
