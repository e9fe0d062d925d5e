"""Relief that belongs to a pre-training object: ribs, rings, knobs, wrinkles, a seam …

It is what a mark must be told from, so it comes in many kinds, as fine and as steep as marks are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pointad.demo.noise import smooth_noise, smooth_step


@dataclass(frozen=True)
class Frame:
    """Where an object lies on its grid; lengths in units of its half length."""

    axis: np.ndarray  # (S,) coordinates of the grid's columns and rows
    u: np.ndarray  # (S, S) the object's own coordinates: turned and shifted against the grid
    v: np.ndarray  # (S, S)
    inside: np.ndarray  # (S, S) distance to the outline, positive inside


Relief = Callable[[np.random.Generator, Frame], np.ndarray]


def relief_height(name: str, rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """(S, S) change of height by one kind of relief, one of `RELIEFS`, in units of the object's half length."""
    return _RELIEFS[name](rng, frame)


def saw_tooth(phase: np.ndarray) -> np.ndarray:
    """Slow rises and sudden falls between −1 and 1, as layers that overlap; period 2π."""
    return (phase / np.pi) % 2 - 1


def _wave(rng: np.random.Generator, phase: np.ndarray) -> np.ndarray:
    """A periodic profile between −1 and 1: sine, steps, layers that overlap, or narrow lines raised or sunk."""
    shape = rng.integers(4)
    if shape == 0:
        return np.sin(phase)
    if shape == 1:
        return np.tanh(rng.uniform(2, 8) * np.sin(phase))
    if shape == 2:
        return rng.choice([-1, 1]) * saw_tooth(phase)
    return rng.choice([-1, 1]) * (2 * np.exp(rng.uniform(3, 10) * (np.cos(phase) - 1)) - 1)


def _amplitude(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(0.003), np.log(0.02))))


def _meander(rng: np.random.Generator, frame: Frame, period: float) -> np.ndarray | float:
    """A bend of lines that follow each other at `period`, in the same unit; none as often as not."""
    if rng.random() < 0.5:
        return 0.0
    return rng.uniform(0.1, 0.5) * period * smooth_noise(rng, frame.axis, frame.axis, 0.3, 1.2)


def _ribs(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    period, angle = rng.uniform(0.09, 0.6), rng.uniform(0, np.pi)
    across = frame.u * np.cos(angle) + frame.v * np.sin(angle) + _meander(rng, frame, period)
    return _amplitude(rng) * _wave(rng, 2 * np.pi / period * across)


def _folds(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """Ribs that change their direction at several parallel lines, like bricks laid zigzag."""
    period, fold, slope = rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.7), rng.uniform(0.4, 1.5)
    zigzag = fold * np.abs((frame.u / fold + rng.uniform(0, 2)) % 2 - 1)
    relief = _amplitude(rng) * _wave(rng, 2 * np.pi / period * (frame.v + slope * zigzag))
    if rng.random() < 0.5:
        return relief
    keel = np.exp(-(((zigzag / fold - 1) * fold / rng.uniform(0.015, 0.04)) ** 2))
    return relief + rng.choice([-1, 1]) * rng.uniform(0.01, 0.04) * keel


def _rings(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    center_u, center_v = rng.normal(0, 0.25, 2) * rng.choice([0, 1])
    period = rng.uniform(0.12, 0.7)
    distance = np.hypot(frame.u - center_u, frame.v - center_v) + _meander(rng, frame, period)
    return _amplitude(rng) * _wave(rng, 2 * np.pi / period * distance + rng.uniform(0, 6))


def _flutes(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    start = rng.uniform(0.15, 0.5)
    rays = _wave(rng, rng.integers(5, 24) * np.arctan2(frame.v, frame.u) + rng.uniform(0, 6))
    return _amplitude(rng) * rays * smooth_step(np.hypot(frame.u, frame.v), start, start + 0.08)


def _contour(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """Lines that follow the outline: channels, ridges or layers; now and then broken into dashes or dots."""
    if rng.random() < 0.3:
        return _amplitude(rng) * _wave(rng, 2 * np.pi / rng.uniform(0.08, 0.3) * frame.inside)
    middle = rng.uniform(0.2, 0.8) * min(float(frame.inside.max()), 0.5)
    width = rng.uniform(0.015, 0.05)
    line = np.exp(-(((frame.inside - middle) / width) ** rng.choice([2, 4])))
    height = rng.choice([-1, 1]) * rng.uniform(0.012, 0.05)
    if rng.random() < 0.5:
        pieces = rng.integers(5, 40)
        turn = pieces * np.arctan2(frame.v, frame.u) + rng.uniform(0, 6)
        line = line * smooth_step(np.cos(turn), rng.uniform(-0.7, 0.5), rng.uniform(0.55, 0.9))
    return height * line


def _lattice(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """Rows of equal bosses or dimples, square or staggered, round or angular; maybe only on a part."""
    pitch = rng.uniform(0.14, 0.45)
    row = np.floor(frame.v / pitch)
    staggered = rng.choice([0.0, 0.5])
    cell_u = (frame.u / pitch + staggered * row) % 1 - 0.5
    cell_v = frame.v / pitch - row - 0.5
    distance = np.hypot(cell_u, cell_v) if rng.random() < 0.6 else np.maximum(np.abs(cell_u), np.abs(cell_v))
    radius = rng.uniform(0.15, 0.4)
    bump = smooth_step(radius - distance, 0, rng.uniform(0.04, radius))
    part = np.hypot(frame.u, frame.v) < rng.choice([0.5, 0.75, 2.0])
    return rng.choice([-1, 1]) * rng.uniform(0.008, 0.05) * bump * part


def _scales(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """Round tiles in staggered rows, each row over the next."""
    pitch = rng.uniform(0.2, 0.5)
    along = frame.v / pitch
    height = np.zeros_like(along)
    for offset in (0, 1):
        row = np.floor(along) - offset
        across = (frame.u / pitch + 0.5 * (row % 2)) % 1 - 0.5
        reach = along - row  # 0 where a tile begins; it is round where it ends
        tile = reach < 1 + np.sqrt(np.clip(0.25 - across**2, 0, None))
        height = np.maximum(height, tile * (0.5 + 0.5 * reach))
    return rng.uniform(0.015, 0.05) * height


def _bumps(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    return rng.uniform(0.004, 0.03) * smooth_noise(rng, frame.axis, frame.axis, 0.35, 1.2)


def _wrinkles(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    shortest = rng.uniform(0.12, 0.3)
    field = smooth_noise(rng, frame.axis, frame.axis, shortest, 4 * shortest)
    return rng.uniform(0.004, 0.02) * rng.choice([-1, 1]) * (1 - np.tanh(np.abs(field) / 0.35))


def _cells(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """Uneven cells with ridges or valleys between them, as in dried clay or cork."""
    count = rng.integers(8, 30)
    centers = rng.uniform(-1, 1, (count, 2)).astype(np.float32)
    u, v = frame.u.astype(np.float32), frame.v.astype(np.float32)
    nearest, second = np.full(u.shape, np.inf, np.float32), np.full(u.shape, np.inf, np.float32)
    for center_u, center_v in centers.tolist():
        distance = np.hypot(u - center_u, v - center_v)
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    border = np.exp(-(((second - nearest) / rng.uniform(0.03, 0.12)) ** 2))
    return rng.choice([-1, 1]) * rng.uniform(0.006, 0.03) * border.astype(np.float64)


def _grain(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    shortest = rng.uniform(0.03, 0.08)
    return rng.uniform(0.0006, 0.002) * smooth_noise(rng, frame.axis, frame.axis, shortest, 2.5 * shortest, waves=30)


def _seam(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """A line across the whole object, along one of its axes."""
    across, along = (frame.u, frame.v) if rng.random() < 0.5 else (frame.v, frame.u)
    across = across - rng.choice([0, 1]) * 0.06 * np.sin(rng.uniform(2, 6) * along + rng.uniform(0, 6))
    width = rng.uniform(0.015, 0.06)
    return rng.choice([-1, 1]) * rng.uniform(0.006, 0.05) * np.exp(-((across / width) ** 2))


def _hub(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    """One boss, recess or ring in the very middle."""
    u, v = frame.u, frame.v
    radius, height = rng.uniform(0.12, 0.45), rng.choice([-1, 1]) * rng.uniform(0.01, 0.08)
    distance = np.hypot(u, v) if rng.random() < 0.7 else np.maximum(np.abs(u), np.abs(v))
    boss = smooth_step(radius - distance, 0, rng.uniform(0.02, 0.12))
    if rng.random() < 0.4:
        boss = boss - smooth_step(0.55 * radius - distance, 0, 0.03)
    return height * boss


def _warp(rng: np.random.Generator, frame: Frame) -> np.ndarray:
    u, v = frame.u, frame.v
    return rng.uniform(-0.1, 0.1) * u**2 + rng.uniform(-0.1, 0.1) * v**2 + rng.uniform(-0.1, 0.1) * u * v


_RELIEFS: dict[str, Relief] = {
    "ribs": _ribs,
    "folds": _folds,
    "rings": _rings,
    "flutes": _flutes,
    "contour": _contour,
    "lattice": _lattice,
    "scales": _scales,
    "bumps": _bumps,
    "wrinkles": _wrinkles,
    "cells": _cells,
    "grain": _grain,
    "seam": _seam,
    "hub": _hub,
    "warp": _warp,
}
RELIEFS: tuple[str, ...] = tuple(_RELIEFS)
