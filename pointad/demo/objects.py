"""The ten object classes of the demo data set, each as a height above the table with natural variation.

Every class is a function `(rng, u, v, radius) -> height`: `u, v` are the object's own coordinates in units of its
half length (the object lies within |u|, |v| <= 1), `radius` is that half length in metres, and the height is in
metres, 0 where the table is visible. Two calls with different random numbers give two different specimens.
"""

from collections.abc import Callable

import numpy as np

from pointad.demo.noise import smooth_step
from pointad.demo.paths import along_path, nearest_on_path

ObjectShape = Callable[[np.random.Generator, np.ndarray, np.ndarray, float], np.ndarray]


def object_height(class_name: str, rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """Height of one specimen of a class.

    Args:
        class_name: one of `CLASSES`.
        rng: the source of the specimen's variation.
        u, v: (H, W) object coordinates in units of `radius`.
        radius: half length of the object in metres.

    Returns:
        (H, W) float64, metres above the table, 0 outside the object.
    """
    return np.maximum(_SHAPES[class_name](rng, u, v, radius), 0)


def _rounded(inside: np.ndarray, bevel: float) -> np.ndarray:
    """Quarter-circle edge: 0 at the outline, 1 from the distance `bevel` inwards; `inside` is the distance to it."""
    t = np.clip(inside / bevel, 0, 1)
    return np.sqrt(t * (2 - t))


def _button(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A disc with a raised rim, a dished middle and four holes."""
    r = np.hypot(u, v)
    thickness = rng.uniform(0.013, 0.017)
    rim = rng.uniform(0.76, 0.82)
    dish = rng.uniform(0.003, 0.005) * (1 - smooth_step(r, rim - 0.22, rim - 0.04))
    height = thickness * (0.35 + 0.65 * _rounded(1 - r, 0.16)) - dish
    spread, hole = rng.uniform(0.19, 0.24), rng.uniform(0.085, 0.11)
    holes = np.hypot(np.abs(u) - spread, np.abs(v) - spread) < hole
    return np.where((r < 1) & ~holes, height, 0)


def _gear(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A toothed wheel with a ring-shaped recess, a raised hub and a bore."""
    r, angle = np.hypot(u, v), np.arctan2(v, u)
    teeth = rng.integers(13, 20)
    outline = 0.9 + 0.09 * np.tanh(3.5 * np.cos(teeth * angle))
    thickness = rng.uniform(0.014, 0.018)
    recess = smooth_step(r, 0.36, 0.41) * (1 - smooth_step(r, 0.66, 0.71))
    hub = rng.uniform(0.003, 0.005) * (1 - smooth_step(r, 0.29, 0.33))
    height = thickness * (0.5 + 0.5 * _rounded(outline - r, 0.06)) - rng.uniform(0.003, 0.0045) * recess + hub
    return np.where((r < outline) & (r > rng.uniform(0.12, 0.17)), height, 0)


def _pear(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A lying pear: a body of revolution that narrows towards a short stem."""
    v = v + 0.12 * rng.uniform(-1, 1) * u**2
    along = np.clip((v + 0.95) / 1.75, 0, 1)  # 0 at the blossom end, 1 at the neck
    belly, neck = rng.uniform(0.6, 0.68), rng.uniform(0.25, 0.31)
    half = belly + (neck - belly) * smooth_step(along, 0.3, 0.95)
    half = half * np.sqrt(np.clip(1 - (2 * along - 1) ** 4, 0, 1))
    body = np.sqrt(np.clip(half**2 - u**2, 0, None)) * radius * rng.uniform(0.8, 0.95)
    stem = np.sqrt(np.clip(0.055**2 - (u - 0.12 * (v - 0.75)) ** 2, 0, None)) * radius
    stem = np.where((stem > 0) & (v > 0.7) & (v < 0.99), stem + 0.008, 0)
    return np.maximum(np.where(body > 0, body + 0.004, 0), stem)


def _brick(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A toy brick: a box with two rows of four round studs."""
    half_v = 0.5 * rng.uniform(0.97, 1.03)
    inside = np.minimum(1 - np.abs(u), half_v - np.abs(v))
    top = rng.uniform(0.018, 0.022) * (0.7 + 0.3 * _rounded(inside, 0.035))
    pitch_u, pitch_v = 0.5, half_v
    from_stud = np.hypot((u + 1) % pitch_u - pitch_u / 2, (v + half_v) % pitch_v - pitch_v / 2)
    stud = rng.uniform(0.0028, 0.0036) * _rounded(rng.uniform(0.145, 0.16) - from_stud, 0.025)
    return np.where(inside > 0, top + stud, 0)


def _leaf(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A thick moulded leaf: pointed at both ends, arched, with a midrib and slanting side veins."""
    u = u - 0.12 * rng.uniform(-1, 1) * (v**2 - 0.3)
    half = rng.uniform(0.5, 0.58) * np.clip(1 - v**2, 0, None) ** 0.9 * (1 - 0.18 * v)
    inside = half - np.abs(u)
    arch = rng.uniform(0.006, 0.01) * np.clip(1 - (u / np.maximum(half, 1e-3)) ** 2, 0, None)
    spacing = rng.uniform(0.21, 0.26)
    slant = (v - 0.75 * np.abs(u)) % spacing - spacing / 2
    veins = 0.0011 * np.exp(-((slant / 0.022) ** 2)) * smooth_step(inside, 0.0, 0.12)
    midrib = 0.0022 * np.exp(-((u / 0.035) ** 2))
    wave = 0.002 * np.sin(2.2 * v + rng.uniform(0, 2 * np.pi))
    return np.where((inside > 0) & (np.abs(v) < 1), 0.0105 + arch + wave + veins + midrib, 0)


def _spoon(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A spoon seen from above: a hollow oval bowl and a handle that widens towards its end."""
    bowl_u, bowl_v = rng.uniform(0.33, 0.38), rng.uniform(0.43, 0.48)
    ellipse = np.hypot(u / bowl_u, (v - 0.52) / bowl_v)
    depth = rng.uniform(0.006, 0.008)
    bowl = 0.0165 * (0.6 + 0.4 * _rounded(1 - ellipse, 0.12)) - depth * np.clip(1 - (ellipse / 0.86) ** 2, 0, None)
    handle_half = rng.uniform(0.085, 0.105) * (1 + 0.8 * smooth_step(-v, 0.45, 0.9))
    inside = np.minimum(handle_half - np.abs(u), np.minimum(v + 1, 0.3 - v))
    handle = (0.0125 + 0.003 * np.cos(2.6 * v)) * (0.65 + 0.35 * _rounded(inside, 0.07))
    return np.maximum(np.where(ellipse < 1, bowl, 0), np.where((inside > 0) & (ellipse > 0.96), handle, 0))


def _walnut(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """Half a nut: an oval dome with meandering wrinkles and a seam along its middle."""
    dome = np.clip(1 - (u / rng.uniform(0.76, 0.84)) ** 2 - (v / 0.97) ** 2, 0, None)
    bend = rng.uniform(0, 2 * np.pi, 6)
    wrinkle = np.zeros_like(u)
    for number in range(3):
        warped = u + 0.1 * np.sin(5.5 * v + bend[number]) + 0.06 * np.sin(11 * v + 3 * u + bend[number + 3])
        wrinkle += np.cos((9 + 2.5 * number) * warped + (2.4 * number - 2) * v + bend[number])
    wrinkle = 0.0009 * np.tanh(1.3 * wrinkle)
    seam = 0.0022 * np.exp(-(((u - 0.03 * np.sin(3 * v + bend[0])) / 0.045) ** 2))
    body = radius * rng.uniform(0.52, 0.6) * np.sqrt(dome)
    return np.where(dome > 0, body + 0.004 + (wrinkle + seam) * smooth_step(dome, 0.02, 0.2), 0)


def _pretzel(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A round strand laid in two loops that cross in the middle."""
    t = np.linspace(-np.pi, np.pi, 81)
    wide = rng.uniform(0.76, 0.82)
    path = np.stack(
        [wide * np.sin(t) * (1 - 0.1 * np.cos(t)), 0.74 * np.sin(2 * t + 0.35) * 0.82 + 0.16 * np.cos(t)], 1
    )
    half = rng.uniform(0.17, 0.195)
    width = half * (1 + 0.06 * np.sin(3 * t + rng.uniform(0, 2 * np.pi)))
    fraction, place = nearest_on_path(u, v, path, width)
    swell = 0.0035 * along_path(place, np.cos(t))
    tube = radius * half * 1.25 * np.sqrt(np.clip(1 - fraction**2, 0, None))
    return np.where(fraction < 1, 0.0075 + tube + swell * np.sqrt(np.clip(1 - fraction**2, 0, None)), 0)


def _horseshoe(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A flat U-shaped bar with a channel along it and a row of nail holes on either branch."""
    angle = np.arctan2(u, v)  # 0 at the toe, grows towards the two heels
    r = np.hypot(u / rng.uniform(0.84, 0.9), v)
    half = rng.uniform(0.155, 0.18) * (1 + 0.15 * np.cos(angle))
    off_center = r - 0.8
    inside = np.minimum(half - np.abs(off_center), (rng.uniform(2.35, 2.5) - np.abs(angle)) * 0.8)
    height = rng.uniform(0.013, 0.016) * (0.6 + 0.4 * _rounded(inside, 0.06))
    on_branch = smooth_step(np.abs(angle), 0.45, 0.55) * (1 - smooth_step(np.abs(angle), 1.9, 2.0))
    channel = 0.0024 * np.exp(-((off_center / 0.035) ** 4)) * on_branch
    nail = np.hypot((np.abs(angle) - 0.25) % 0.42 - 0.21, off_center) < 0.04
    return np.where((inside > 0) & ~(nail & (on_branch > 0.9)), height - channel, 0)


def _croissant(rng: np.random.Generator, u: np.ndarray, v: np.ndarray, radius: float) -> np.ndarray:
    """A crescent that tapers towards both tips, made of overlapping rolls."""
    t = np.linspace(-1, 1, 241)  # enough for the segments to be invisible
    bend = rng.uniform(1.15, 1.35)
    path = np.stack([0.78 * np.sin(bend * t), 0.78 * (np.cos(bend * t) - 0.62)], 1)
    width = 0.1 + rng.uniform(0.3, 0.34) * (1 - np.abs(t) ** 1.7)
    fraction, place = nearest_on_path(u, v, path, width)
    rolls = rng.integers(3, 5)
    phase = (np.abs(along_path(place, t)) * rolls + 0.15) % 1
    step = 0.0026 * (1 - phase)
    body = radius * 0.95 * along_path(place, width) * np.sqrt(np.clip(1 - fraction**2, 0, None))
    return np.where(fraction < 1, 0.005 + body + step * np.sqrt(np.clip(1 - fraction**2, 0, None)), 0)


_SHAPES: dict[str, ObjectShape] = {
    "brick": _brick,
    "button": _button,
    "croissant": _croissant,
    "gear": _gear,
    "horseshoe": _horseshoe,
    "leaf": _leaf,
    "pear": _pear,
    "pretzel": _pretzel,
    "spoon": _spoon,
    "walnut": _walnut,
}

CLASSES: tuple[str, ...] = tuple(_SHAPES)
