"""Seeded organized scans for the golden tests: cookies with holes and bagels with lumps, in metres.

Everything is a pure function of the seed. The order of the draws and of the floating-point operations is part of the
goldens: change nothing here without making them anew.
"""

from dataclasses import dataclass

import numpy as np

TURN = 6.283  # about 2 π
OBJECT_DEPTH = 0.45  # distance of the table from the sensor
DEFECTS = {"bagel": "contamination", "cookie": "hole"}
NATIVE_SIZE = {"bagel": 400, "cookie": 336}


@dataclass(frozen=True)
class Scan:
    """One organized scan of n × n points with its colour picture and mask."""

    xyz: np.ndarray  # (n, n, 3) float32, metres, zero where there is no point
    rgb: np.ndarray  # (n, n, 3) uint8
    mask: np.ndarray  # (n, n) uint8, 255 where anomalous


def make_scan(seed: int, class_name: str, anomalous: bool, index: int) -> Scan:
    """The scan of one sample."""
    size = NATIVE_SIZE[class_name]
    class_index = sorted(NATIVE_SIZE).index(class_name)
    generator = np.random.default_rng([seed, 3, class_index, int(anomalous), index])
    pitch = 0.12 / size
    axis = (np.arange(size) - size / 2 + 0.5) * pitch
    x, y = np.meshgrid(axis, axis)
    shift_x, shift_y = (generator.random(2) - 0.5) * 0.008
    local_x, local_y = x - shift_x, y - shift_y

    is_object, height = _shape(generator, class_name, np.hypot(local_x, local_y), np.arctan2(local_y, local_x))
    height = height + 0.0012 * _smooth_noise(generator, size, 12) + 0.0005 * _smooth_noise(generator, size, 40)
    mask, tint = np.zeros((size, size), bool), np.zeros((size, size))
    if anomalous:
        for _ in range(int(generator.integers(1, 4))):
            distance = _defect_distance(generator, class_name, local_x, local_y)
            if class_name == "cookie":  # a deep hole with steep walls
                height = height - 0.012 * np.clip((1 - distance) * 6, 0, 1) * is_object
            else:  # a lump on top
                height = height + 0.007 * np.sqrt(np.clip(1 - distance**2, 0, 1)) * is_object
            mask |= (distance < 1) & is_object
            tint = np.maximum(tint, np.clip((1.1 - distance) * 4, 0, 1))

    # The sensor misses patches of the object and single points.
    missed = (_smooth_noise(generator, size, 30) > 0.80) | (generator.random((size, size)) < 0.004)
    valid = is_object & ~missed
    depth = np.round((OBJECT_DEPTH - height) * 1e6) / 1e6  # steps of a micrometre: the same bits everywhere
    xyz = (np.stack([x, y, depth], -1) * valid[..., None]).astype(np.float32)
    rgb = _colors(generator, class_name, is_object, height, tint, pitch)
    return Scan(xyz, rgb, (mask * 255).astype(np.uint8))


def _shape(
    generator: np.random.Generator, class_name: str, radius: np.ndarray, angle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the object is, and its height above the table: a flat dome or a ring with a wavy rim."""
    waves, phase = int(generator.integers(3, 7)), generator.random() * TURN
    if class_name == "cookie":
        rim = 0.043 * (1 + 0.04 * np.cos(waves * angle + phase))
        return radius < rim, 0.010 * np.sqrt(np.clip(1 - (radius / rim) ** 2, 0, 1)) ** 0.7
    ring, tube = 0.029, 0.016 * (1 + 0.05 * np.cos(waves * angle + phase))
    return np.abs(radius - ring) < tube, np.sqrt(np.clip(tube**2 - (radius - ring) ** 2, 0, None))


def _defect_distance(generator: np.random.Generator, class_name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance from the centre of a random ellipse, 1 on its rim."""
    direction = generator.random() * TURN
    offset = (0.012 + 0.016 * generator.random()) if class_name == "cookie" else 0.029
    centre_x, centre_y = offset * np.cos(direction), offset * np.sin(direction)
    size, stretch, turn = 0.004 + 0.005 * generator.random(), 0.5 + generator.random(), generator.random() * 3.1416
    u = (x - centre_x) * np.cos(turn) + (y - centre_y) * np.sin(turn)
    v = -(x - centre_x) * np.sin(turn) + (y - centre_y) * np.cos(turn)
    return np.sqrt((u * stretch) ** 2 + (v / stretch) ** 2) / size


def _colors(
    generator: np.random.Generator,
    class_name: str,
    is_object: np.ndarray,
    height: np.ndarray,
    tint: np.ndarray,
    pitch: float,
) -> np.ndarray:
    """The colour picture: baked texture with simple shading, purple where the defect is, a dark table around."""
    size = len(height)
    base = np.array([0.80, 0.62, 0.38]) if class_name == "cookie" else np.array([0.74, 0.52, 0.26])
    texture = 0.10 * _smooth_noise(generator, size, 16) + 0.06 * _smooth_noise(generator, size, 60)
    slope_y, slope_x = np.gradient(height, pitch)
    shade = 0.55 + 0.45 / np.sqrt(1 + slope_x**2 + slope_y**2) + 0.12 * np.clip(slope_x, -1, 1)
    rgb = (base * (1 + texture[..., None])) * shade[..., None]
    rgb = rgb * (1 - 0.6 * tint[..., None]) + np.array([0.25, 0.10, 0.30]) * 0.6 * tint[..., None]
    table = np.array([0.12, 0.13, 0.15]) * (1 + 0.1 * _smooth_noise(generator, size, 8)[..., None])
    rgb = np.where(is_object[..., None], rgb, table)
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def _smooth_noise(generator: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """A smooth field (size, size) in about −1 … 1: a coarse random grid, interpolated with smoothed weights."""
    grid = generator.random((cells + 1, cells + 1)) * 2 - 1
    position = np.linspace(0, cells, size, endpoint=False)
    cell = position.astype(int)
    weight = position - cell
    weight = weight * weight * (3 - 2 * weight)
    upper = grid[cell][:, cell] * (1 - weight)[None] + grid[cell][:, cell + 1] * weight[None]
    lower = grid[cell + 1][:, cell] * (1 - weight)[None] + grid[cell + 1][:, cell + 1] * weight[None]
    return upper * (1 - weight)[:, None] + lower * weight[:, None]
