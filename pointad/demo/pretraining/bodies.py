"""Bodies of the objects that the demo backbone is pre-trained on: an outline, a profile and some relief on it.

Relief that belongs to the object (ribs, rings, rows of bosses, wrinkles, a seam …) is what a mark must be told from,
so every body may carry several kinds of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pointad.demo.noise import smooth_noise, smooth_step
from pointad.demo.pretraining.outlines import random_outline


@dataclass(frozen=True)
class Body:
    """An object as a height field; lengths in units of its half length."""

    family: str  # of its outline
    profile: str
    reliefs: tuple[str, ...]
    axis: np.ndarray  # (S,) coordinates of the grid's columns and rows
    u: np.ndarray  # (S, S) the object's own coordinates: turned and shifted against the grid
    v: np.ndarray  # (S, S)
    inside: np.ndarray  # (S, S) distance to the outline, positive inside
    height: np.ndarray  # (S, S) above the table, 0 outside


def random_body(rng: np.random.Generator, size: int) -> Body:
    """A random object on a grid of size × size points that it covers to 45 to 95 % of its side."""
    cover = rng.uniform(0.5, 0.95)
    axis = (np.arange(size) + 0.5 - size / 2) * (2 / size / cover)
    turn = rng.uniform(0, 2 * np.pi)
    shift_x, shift_y = rng.uniform(-1, 1, 2) * (1 / cover - 1) * 0.6
    x, y = (axis - shift_x)[None, :], (axis - shift_y)[:, None]
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)

    family, inside = random_outline(rng, u, v)
    profile = str(rng.choice(PROFILES))
    thickness = rng.uniform(0.18, 0.7) if profile in ("dome", "cone") else rng.uniform(0.15, 0.4)
    height = thickness * _PROFILES[profile](rng, np.clip(inside / max(float(inside.max()), 0.05), 0, 1))
    height = height + rng.uniform(0.02, 0.1)

    count = rng.choice([0, 1, 2], p=[0.5, 0.4, 0.1])
    reliefs = tuple(str(name) for name in rng.choice(list(_RELIEFS), count, replace=False))
    # Relief fades out towards the border, as far as the mould or the tool reached.
    reach = rng.uniform(0.0, 0.15)
    for name in reliefs:
        relief = _RELIEFS[name](rng, axis, u, v)
        height = height + relief * smooth_step(inside, reach, reach + 0.06)
    height = height + rng.uniform(0, 0.003) * smooth_noise(rng, axis, axis, 0.2, 1.0)
    height = np.where(inside > 0, np.maximum(height, 0.02), 0)
    if rng.random() < 0.12:
        height = np.where(_through_holes(rng, u, v), 0, height)
    return Body(family, profile, reliefs, axis, u, v, inside, height)


def _flat(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    """A plateau with a bevelled or rounded border; `t` runs from 0 at the border to 1 in the middle."""
    bevel, power = rng.uniform(0.03, 0.5), rng.uniform(1.0, 2.5)
    return (1 - (1 - np.clip(t / bevel, 0, 1)) ** power) ** (1 / power)


def _dome(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    power = rng.uniform(1.6, 3.0)
    return (1 - (1 - t) ** power) ** (1 / power)


def _cone(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    return 0.25 + 0.75 * np.minimum(t, rng.uniform(0.6, 1.0))


def _terraces(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    count = rng.integers(2, 5)
    edges = np.sort(rng.uniform(0.08, 0.9, count))
    rises = rng.uniform(0.5, 1.0, count) * rng.choice([1, 1, 1, -0.4], count)
    width = rng.uniform(0.01, 0.08)
    steps = sum(rise * smooth_step(t, edge, edge + width) for edge, rise in zip(edges, rises, strict=True))
    return 0.4 + 0.6 * steps / max(float(np.abs(steps).max()), 0.3)


def _bowl(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    wall = rng.uniform(0.12, 0.4)
    depth = rng.uniform(0.3, 0.7)
    return _flat(rng, t) - depth * smooth_step(t, wall, min(1.0, wall + rng.uniform(0.05, 0.6)))


_PROFILES: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "flat": _flat,
    "dome": _dome,
    "cone": _cone,
    "terraces": _terraces,
    "bowl": _bowl,
}
PROFILES: tuple[str, ...] = tuple(_PROFILES)

Relief = Callable[[np.random.Generator, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _wave(rng: np.random.Generator, phase: np.ndarray) -> np.ndarray:
    """A periodic profile between −1 and 1: sine, steps, or narrow lines raised or sunk."""
    shape = rng.integers(3)
    if shape == 0:
        return np.sin(phase)
    if shape == 1:
        return np.tanh(rng.uniform(2, 8) * np.sin(phase))
    return rng.choice([-1, 1]) * (2 * np.exp(rng.uniform(3, 10) * (np.cos(phase) - 1)) - 1)


def _amplitude(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(0.003), np.log(0.012))))


def _ribs(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    period, angle = rng.uniform(0.09, 0.45), rng.uniform(0, np.pi)
    return _amplitude(rng) * _wave(rng, 2 * np.pi / period * (u * np.cos(angle) + v * np.sin(angle)))


def _rings(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    center_u, center_v = rng.normal(0, 0.15, 2) * rng.choice([0, 1])
    return _amplitude(rng) * _wave(rng, 2 * np.pi / rng.uniform(0.12, 0.6) * np.hypot(u - center_u, v - center_v))


def _flutes(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    start = rng.uniform(0.15, 0.5)
    rays = _wave(rng, rng.integers(5, 24) * np.arctan2(v, u) + rng.uniform(0, 6))
    return _amplitude(rng) * rays * smooth_step(np.hypot(u, v), start, start + 0.08)


def _lattice(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rows of equal bosses or dimples, square or staggered, round or angular; maybe only on a part."""
    pitch = rng.uniform(0.14, 0.4)
    row = np.floor(v / pitch)
    staggered = rng.choice([0.0, 0.5])
    cell_u = (u / pitch + staggered * row) % 1 - 0.5
    cell_v = v / pitch - row - 0.5
    distance = np.hypot(cell_u, cell_v) if rng.random() < 0.6 else np.maximum(np.abs(cell_u), np.abs(cell_v))
    radius = rng.uniform(0.15, 0.4)
    bump = smooth_step(radius - distance, 0, rng.uniform(0.04, radius))
    part = np.hypot(u, v) < rng.choice([0.5, 0.75, 2.0])
    return rng.choice([-1, 1]) * rng.uniform(0.008, 0.02) * bump * part


def _bumps(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return rng.uniform(0.004, 0.016) * smooth_noise(rng, axis, axis, 0.35, 1.2)


def _wrinkles(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    field = smooth_noise(rng, axis, axis, 0.15, 0.6)
    return rng.uniform(0.004, 0.01) * rng.choice([-1, 1]) * (1 - np.tanh(np.abs(field) / 0.35))


def _grain(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    shortest = rng.uniform(0.03, 0.08)
    return rng.uniform(0.0006, 0.002) * smooth_noise(rng, axis, axis, shortest, 2.5 * shortest, waves=30)


def _seam(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A line across the whole object, along one of its axes."""
    across, along = (u, v) if rng.random() < 0.5 else (v, u)
    across = across - rng.choice([0, 1]) * 0.06 * np.sin(rng.uniform(2, 6) * along + rng.uniform(0, 6))
    width = rng.uniform(0.015, 0.05)
    return rng.choice([-1, 1]) * rng.uniform(0.006, 0.03) * np.exp(-((across / width) ** 2))


def _hub(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """One boss, recess or ring in the very middle."""
    radius, height = rng.uniform(0.12, 0.45), rng.choice([-1, 1]) * rng.uniform(0.01, 0.06)
    distance = np.hypot(u, v) if rng.random() < 0.7 else np.maximum(np.abs(u), np.abs(v))
    boss = smooth_step(radius - distance, 0, rng.uniform(0.02, 0.12))
    if rng.random() < 0.4:
        boss = boss - smooth_step(0.55 * radius - distance, 0, 0.03)
    return height * boss


def _warp(rng: np.random.Generator, axis: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return rng.uniform(-0.1, 0.1) * u**2 + rng.uniform(-0.1, 0.1) * v**2 + rng.uniform(-0.1, 0.1) * u * v


_RELIEFS: dict[str, Relief] = {
    "ribs": _ribs,
    "rings": _rings,
    "flutes": _flutes,
    "lattice": _lattice,
    "bumps": _bumps,
    "wrinkles": _wrinkles,
    "grain": _grain,
    "seam": _seam,
    "hub": _hub,
    "warp": _warp,
}
RELIEFS: tuple[str, ...] = tuple(_RELIEFS)


def _through_holes(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(S, S) bool: one hole in the middle, or three, five, six … evenly on a circle."""
    radius = rng.uniform(0.05, 0.14)
    count = rng.choice([1, 2, 3, 5, 6, 8])
    if count == 1:
        return np.hypot(u, v) < 1.6 * radius
    orbit = rng.uniform(0.35, 0.6)
    sector = 2 * np.pi / count
    angle = (np.arctan2(v, u) + np.pi) % sector - sector / 2
    distance = np.hypot(u, v)
    return np.hypot(distance * np.cos(angle) - orbit, distance * np.sin(angle)) < radius
