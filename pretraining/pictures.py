"""Pictures for the pre-training of the demo backbone: generated objects, drawn by the renderer or photographed.

One object gives several pictures: grey renderings of its scan from random directions, as the renderer of the data
sets draws them, and colour pictures.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pointad.demo.noise import smooth_noise
from pointad.rendering.normals import smallest_direction
from pointad.rendering.renderer import render
from pointad.rendering.views import View, ViewRig
from pointad.scans.point_cloud import PointCloud
from pretraining.bodies import Body, random_body
from pretraining.marks import COLOR_ONLY_KINDS, KINDS, Mark, random_mark

PICTURE_SIDE = 336
KIND_MAP_SIDE = 84  # a cell is 4 pixels wide
CELL = PICTURE_SIDE // KIND_MAP_SIDE  # pixels along a cell's side
WINDOW = 1024
LARGEST_TURN = 50.0  # degrees


@dataclass(frozen=True)
class Picture:
    """A picture with what is to be known of it."""

    pixels: np.ndarray  # (336, 336, 3) uint8
    kind_map: np.ndarray  # (84, 84) uint8: 0 no mark, n a mark of the kind KINDS[n - 1]


def random_pictures(rng: np.random.Generator, renderings: int = 2, photographs: int = 2) -> tuple[list[Picture], Body]:
    """Pictures of one random object, with no mark on it in two cases of five and up to three in the others.

    Args:
        rng: the source of randomness.
        renderings: how many grey renderings of its scan are made.
        photographs: how many colour pictures, each in other colours and another light.

    Returns:
        The renderings, then the colour pictures; and the object without its marks.
    """
    while True:
        body = random_body(rng, PICTURE_SIDE)
        marks, height = _random_marks(rng, body)
        pictures = _renderings(rng, body, height, marks, renderings)
        if pictures:
            return [*pictures, *(_photograph(rng, body, height, marks) for _ in range(photographs))], body


def _random_marks(rng: np.random.Generator, body: Body) -> tuple[list[Mark], np.ndarray]:
    """Marks on one body and its height with all of them."""
    marks = []
    height = body.height
    for _ in range(rng.choice([0, 1, 2, 3], p=[0.4, 0.35, 0.17, 0.08])):
        mark = random_mark(rng, body)
        if mark is not None:
            marks.append(mark)
            height = np.maximum(height + (mark.height - body.height), 0)
    return marks, height


def _kinds(marks: list[Mark], shape: tuple[int, ...], with_color: bool) -> np.ndarray:
    """(S, S) uint8: number of the mark's kind at every grid point."""
    kinds = np.zeros(shape, dtype=np.uint8)
    for mark in marks:
        if with_color or mark.kind not in COLOR_ONLY_KINDS:
            kinds[mark.area] = KINDS.index(mark.kind) + 1
    return kinds


def _lost(rng: np.random.Generator, body: Body, height: np.ndarray) -> np.ndarray:
    """(S, S) bool: grid points without a depth, by one of several habits of sensors."""
    lost = rng.random(height.shape) < rng.choice([0.0, 0.001, 0.004, 0.01])
    slope_y, slope_x = np.gradient(height, float(body.axis[1] - body.axis[0]))
    if rng.random() < 0.5:  # steep walls return little light
        steep = np.hypot(slope_x, slope_y) > rng.uniform(1.5, 8)
        lost |= steep & (rng.random(height.shape) < rng.uniform(0.1, 0.9))
    if rng.random() < 0.2:  # patches
        shortest = rng.uniform(0.04, 0.2)
        lost |= smooth_noise(rng, body.axis, body.axis, shortest, 3 * shortest) > rng.uniform(2.6, 3.6)
    if rng.random() < 0.1:  # a shadow beside steep steps, away from the projector
        shadow = np.roll(height, rng.integers(1, 5), axis=1) - height > rng.uniform(0.05, 0.2)
        lost |= shadow
    return lost


def _renderings(
    rng: np.random.Generator, body: Body, height: np.ndarray, marks: list[Mark], count: int
) -> list[Picture]:
    """Pictures of the object's scan from random directions; none when too little of it is left to see."""
    step = float(body.axis[1] - body.axis[0])
    noise = rng.normal(0, step * np.exp(rng.uniform(np.log(0.02), np.log(0.12))), height.shape)
    table = rng.uniform(0.03, 0.13)  # what lies lower goes with the table
    kept = (height > table) & ~_lost(rng, body, height)
    if kept.sum() < 1500:
        return []
    tilt_x, tilt_y = rng.normal(0, 0.06, 2)
    x, y = body.axis[None, :], body.axis[:, None]
    surface = height + noise
    distance = rng.uniform(6, 12)
    shrink = (distance - surface) / distance  # the ray through a grid point meets what is high nearer to the axis
    # Seen from the camera's side: y points up and z to the viewer, so that no first turn about x is needed.
    scan = np.stack([x * shrink, -y * shrink, surface + tilt_x * x + tilt_y * y])
    rig = ViewRig(
        views=tuple(View(str(rng.choice(["x", "y"])), float(rng.uniform(-1, 1)) * LARGEST_TURN) for _ in range(count)),
        window=WINDOW,
        gt_window=WINDOW,
        # The renderer's own choice closes the surface by three times the spacing of the points; data sets differ.
        point_size=max(5, round(rng.uniform(2.4, 3.9) * step * WINDOW / (1.4 * _extent(scan[:, kept])))),
        gt_point_size=1,
        first_rotation=0.0,
        normal_radius=1.0,  # normals are given
        normal_neighbours=1,
        steps_back=False,
    )
    rendered = render(PointCloud(scan[:, kept].T), rig, normals=_grid_normals(scan, kept))
    kinds = _kinds(marks, height.shape, with_color=False)[kept]
    return [
        Picture(np.repeat(view[..., None], 3, axis=2), _drawn_kinds(kinds, places))
        for view, places in zip(rendered.views, rendered.correspondences, strict=True)
    ]


def _extent(points: np.ndarray) -> float:
    """Longest side of a cloud's box, points (3, N)."""
    return float((points.max(axis=1) - points.min(axis=1)).max())


def _drawn_kinds(kinds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The map (84, 84) of the kinds (N,) of points that are seen at the given places (N, 3): column, row, visible."""
    seen = (places[:, 2] > 0) & (kinds > 0)
    columns, rows = places[seen, :2].T // CELL
    kind_map = np.zeros((KIND_MAP_SIDE, KIND_MAP_SIDE), dtype=np.uint8)
    kind_map[rows, columns] = kinds[seen]
    return kind_map


def _grid_normals(scan: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Normals (N, 3) of the kept points of a scan (3, S, S): the directions of least spread in windows of 7 x 7."""
    x, y, z = scan
    sums = [
        cv2.boxFilter(channel * kept, -1, (7, 7), normalize=False, borderType=cv2.BORDER_CONSTANT)[kept]
        for channel in (np.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z)
    ]
    x, y, z, xx, yy, zz, xy, xz, yz = (total / sums[0] for total in sums[1:])
    return smallest_direction(xx - x * x, yy - y * y, zz - z * z, xy - x * y, xz - x * z, yz - y * z)


def _random_color(rng: np.random.Generator) -> np.ndarray:
    """(3,) share of light given back: greys as often as colours."""
    grey = rng.uniform(0.2, 0.95)
    return np.clip(grey + rng.normal(0, 1, 3) * rng.choice([0.01, 0.08, 0.25]), 0.02, 1)


def _albedo(rng: np.random.Generator, body: Body) -> np.ndarray:
    """(S, S, 3) the object's own colours: plain, mottled, grained, striped, or speckled all over."""
    base = _random_color(rng)
    albedo = np.broadcast_to(base, (*body.height.shape, 3)).copy()
    texture = rng.choice(5, p=[0.35, 0.2, 0.2, 0.15, 0.1])
    strength = rng.uniform(0.01, 0.07)
    if texture == 1:
        albedo *= (1 + strength * smooth_noise(rng, body.axis, body.axis, 0.2, 1.0))[..., None]
    elif texture == 2:
        albedo *= (1 + strength * smooth_noise(rng, body.axis, body.axis, 0.03, 0.15, waves=30))[..., None]
    elif texture == 3:
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.06, 0.4)
        bent = (
            body.u * np.cos(angle) + body.v * np.sin(angle) + 0.04 * smooth_noise(rng, body.axis, body.axis, 0.3, 1.0)
        )
        albedo *= (1 + 1.5 * strength * np.tanh(2 * np.sin(2 * np.pi * bent / period)))[..., None]
    elif texture == 4:
        size = rng.uniform(0.03, 0.08)
        speckles = smooth_noise(rng, body.axis, body.axis, size, 2 * size, waves=40) > rng.uniform(1.0, 1.9)
        albedo[speckles] = np.clip(base * rng.uniform(0.4, 1.5), 0, 1)
    return np.clip(albedo, 0.02, 1)


def _photograph(rng: np.random.Generator, body: Body, height: np.ndarray, marks: list[Mark]) -> Picture:
    """A colour picture from above; the table may be cut out, black."""
    albedo = _albedo(rng, body)
    own_brightness = albedo.mean()
    for mark in marks:
        color = _random_color(rng)
        if mark.kind == "stain" and np.abs(color - albedo.mean(axis=(0, 1))).max() < 0.2:
            color = np.clip(color + (0.4 if own_brightness < 0.4 else -0.4), 0.02, 1)
        albedo += mark.tint[..., None] * (color - albedo)
    table = _random_color(rng) * rng.choice([0.2, 0.6, 1.0])
    ground = table * (1 + 0.03 * smooth_noise(rng, body.axis, body.axis, 0.05, 0.5))[..., None]
    on_object = height > 0
    albedo = np.where(on_object[..., None], albedo, ground)

    slope_y, slope_x = np.gradient(height, float(body.axis[1] - body.axis[0]))
    length = np.sqrt(1 + slope_x**2 + slope_y**2)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.5)
    lamp = (np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation))
    lit = np.clip((lamp[2] - slope_x * lamp[0] - slope_y * lamp[1]) / length, 0, None)
    ambient = rng.uniform(0.15, 0.6)
    picture = albedo * (rng.uniform(0.7, 1.25) * (ambient + (1 - ambient) * lit))[..., None]
    if rng.random() < 0.3:
        picture += rng.uniform(0.1, 0.5) * (lit ** rng.uniform(10, 60) * on_object)[..., None]
    if rng.random() < 0.8:
        picture[height < rng.uniform(0.0, 0.12)] = 0  # the table is cut out with the plane it lies in
    picture += rng.normal(0, rng.uniform(0.002, 0.02), picture.shape)
    pixels = np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8)
    cells = _kinds(marks, height.shape, with_color=True).reshape(KIND_MAP_SIDE, CELL, KIND_MAP_SIDE, CELL)
    return Picture(pixels, cells.max(axis=(1, 3)))
