"""Objects made of strands: spirals, waves, knots and bundles, which cross and end in tips.

Where strands cross, and at their tips, the surface has steps and creases that are no marks.
"""

from dataclasses import dataclass

import numpy as np

from pointad.demo.noise import smooth_step
from pointad.demo.paths import along_path, nearest_on_path
from pretraining.reliefs import saw_tooth

_PIECES = 48  # of a strand's line


@dataclass(frozen=True)
class Strands:
    """All fields are (S, S); lengths in units of the object's half length."""

    inside: np.ndarray  # distance to the outline, positive inside
    fraction: np.ndarray  # 0 at the border, 1 on the middle line of the strand that lies on top
    height: np.ndarray  # of the middle line of the strand on top, with the layers that it is wound of


def random_strands(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> Strands:
    """One to four strands.

    Args:
        rng: the source of randomness.
        u, v: (S, S) coordinates in units of the object's half length.
    """
    lines = _LINES[rng.integers(len(_LINES))](rng)
    half = rng.uniform(0.13, 0.26) if len(lines) == 1 else rng.uniform(0.11, 0.2)
    taper, blunt = rng.choice([0.0, 0.0, 0.6, 0.9]), rng.uniform(1.2, 4)
    rolls, roll_height = rng.choice([0, 0, int(rng.integers(5, 14))]), rng.uniform(0.02, 0.05)
    inside = np.full(u.shape, -np.inf)
    fraction, height, on_top = np.zeros(u.shape), np.zeros(u.shape), np.full(u.shape, -np.inf)
    for number, line in enumerate(lines):
        along = np.linspace(-1, 1, len(line))
        width = half * (1 - taper * np.abs(along) ** blunt)
        width = width * (1 + rng.uniform(0, 0.12) * np.sin(rng.uniform(3, 9) * along + rng.uniform(0, 6)))
        width = np.maximum(width, 0.02)
        distance, place = nearest_on_path(u, v, line, width)
        here = along_path(place, width)
        level = here * rng.uniform(0.9, 1.3) + 0.6 * half * number * rng.choice([0.0, 1.0])
        if rolls:
            turns = rolls * (2 * place / (len(line) - 1) - 1)
            level = level + roll_height * saw_tooth(np.pi * turns) * smooth_step(1 - distance, 0, 0.3)
        surface = level * np.sqrt(np.clip(1 - distance**2, 0, 1))
        covers = (distance < 1) & (surface > on_top)
        on_top = np.where(covers, surface, on_top)
        fraction = np.where(covers, 1 - distance, fraction)
        height = np.where(covers, level, height)
        inside = np.maximum(inside, (1 - distance) * here)
    return Strands(inside, fraction, height)


def _spiral(rng: np.random.Generator) -> list[np.ndarray]:
    """One and a quarter to two turns."""
    turns, start = rng.uniform(1.25, 2.0), rng.uniform(0.02, 0.2)
    t = np.linspace(0, 1, _PIECES + 1)
    radius = start + (0.8 - start) * t ** rng.uniform(0.7, 1.1)
    return [np.stack([radius * np.cos(2 * np.pi * turns * t), radius * np.sin(2 * np.pi * turns * t)], 1)]


def _wave_line(rng: np.random.Generator) -> list[np.ndarray]:
    """A snake with two bends or more."""
    t = np.linspace(-1, 1, _PIECES + 1)
    bends = rng.uniform(2.0, 4.0)
    return [np.stack([0.85 * t, rng.uniform(0.15, 0.5) * np.sin(np.pi * bends * (t + 1) / 2 + rng.uniform(0, 1))], 1)]


def _knot(rng: np.random.Generator) -> list[np.ndarray]:
    """A closed line with many crossings: waves of orders 2 and 3, 3 and 4 or 3 and 5 in the two directions."""
    first, second = ((2, 3), (3, 4), (3, 5))[rng.integers(3)]
    t = np.linspace(0, 2 * np.pi, 2 * _PIECES + 1)
    bend = rng.uniform(0, np.pi)
    return [0.8 * np.stack([np.sin(first * t + bend), np.sin(second * t)], 1)]


def _bundle(rng: np.random.Generator) -> list[np.ndarray]:
    """Two to four sticks that lie over each other."""
    lines = []
    for _ in range(rng.integers(2, 5)):
        angle, shift, bend = rng.uniform(0, np.pi), rng.uniform(-0.35, 0.35), rng.uniform(-0.2, 0.2)
        t = np.linspace(-0.85, 0.85, 9)
        side = shift + bend * t**2
        lines.append(np.stack([t * np.cos(angle) - side * np.sin(angle), t * np.sin(angle) + side * np.cos(angle)], 1))
    return lines


_LINES = (_spiral, _wave_line, _knot, _bundle)
