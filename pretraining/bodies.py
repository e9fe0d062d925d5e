"""Bodies of the objects that the demo backbone is pre-trained on: an outline, a profile and some relief on it.

Relief that belongs to the object is what a mark must be told from, so most bodies carry one or several kinds of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pointad.demo.noise import smooth_noise, smooth_step
from pretraining.outlines import OUTLINES, random_outline
from pretraining.reliefs import RELIEFS, Frame, relief_height
from pretraining.strands import random_strands

_STRANDS = "strands"
_STRANDS_SHARE = 0.18  # of all bodies
JOINED_SHARE = 0.22  # of all others: a second body is joined to the first
_RELIEF_COUNTS = (0.25, 0.45, 0.3)  # how often a body carries none, one and two kinds
_TOO_NEAR = {("lens", "folds")}  # together they would make a leaf with veins, which the demo data set has
_NEVER_JOINED_TO_BOWLS = "rod"  # they would make a spoon


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


def random_body(rng: np.random.Generator, size: int, joined_share: float = JOINED_SHARE) -> Body:
    """A random object on a grid of size × size points that it covers to 45 to 95 % of its side.

    `joined_share` of the bodies that are no strands have a second one joined to them.
    """
    cover = rng.uniform(0.5, 0.95)
    axis = (np.arange(size) + 0.5 - size / 2) * (2 / size / cover)
    turn = rng.uniform(0, 2 * np.pi)
    shift_x, shift_y = rng.uniform(-1, 1, 2) * (1 / cover - 1) * 0.6
    x, y = (axis - shift_x)[None, :], (axis - shift_y)[:, None]
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)

    family, profile, inside, height = _plain_body(rng, u, v, joined_share)
    frame = Frame(axis, u, v, inside)
    count = rng.choice(len(_RELIEF_COUNTS), p=_RELIEF_COUNTS)
    possible = [name for name in RELIEFS if (family, name) not in _TOO_NEAR]
    reliefs = tuple(str(name) for name in rng.choice(possible, count, replace=False))
    # Relief fades out towards the border, as far as the mould or the tool reached.
    reach = rng.uniform(0.0, 0.15) * rng.choice([0, 1])
    for name in reliefs:
        height = height + relief_height(name, rng, frame) * smooth_step(inside, reach, reach + 0.06)
    height = height + rng.uniform(0, 0.003) * smooth_noise(rng, axis, axis, 0.2, 1.0)
    height = np.where(inside > 0, np.maximum(height, 0.02), 0)
    if rng.random() < 0.2:
        height = np.where(_through_holes(rng, u, v), 0, height)
    return Body(family, profile, reliefs, axis, u, v, inside, height)


def _plain_body(
    rng: np.random.Generator, u: np.ndarray, v: np.ndarray, joined_share: float
) -> tuple[str, str, np.ndarray, np.ndarray]:
    """Family, profile, distance to the outline and height (S, S) of a body without relief."""
    profile = str(rng.choice(PROFILES))
    thickness = rng.uniform(0.18, 0.7) if profile in ("dome", "cone") else rng.uniform(0.15, 0.4)
    base = rng.uniform(0.02, 0.1)
    if rng.random() < _STRANDS_SHARE:
        strands = random_strands(rng, u, v)
        profile = str(rng.choice(["dome", "dome", profile]))
        height = rng.uniform(0.8, 1.6) * strands.height * _PROFILES[profile](rng, strands.fraction)
        return _STRANDS, profile, strands.inside, height + base
    family, inside = random_outline(rng, u, v)
    height = base + thickness * _PROFILES[profile](rng, _depth_share(inside))
    if rng.random() < joined_share:
        return family, profile, *_joined(rng, u, v, family, profile, inside, height)
    return family, profile, inside, height


def _depth_share(inside: np.ndarray) -> np.ndarray:
    """0 at the border of an outline, 1 where it is widest."""
    return np.clip(inside / max(float(inside.max()), 0.05), 0, 1)


def _joined(
    rng: np.random.Generator,
    u: np.ndarray,
    v: np.ndarray,
    family: str,
    profile: str,
    inside: np.ndarray,
    height: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the outline and height (S, S) of a body with a smaller one stuck into it or standing on it.

    Necks, corners and steps between parts belong to an object as much as its relief does.
    """
    size, turn = rng.uniform(0.3, 0.7), rng.uniform(0, 2 * np.pi)
    from_middle = np.hypot(u, v)
    place = rng.choice(
        np.flatnonzero((inside > -0.1) & (from_middle < max(1.25 - size, from_middle[inside > 0].min())))
    )
    du, dv = (u - u.flat[place]) / size, (v - v.flat[place]) / size
    other_u, other_v = du * np.cos(turn) + dv * np.sin(turn), dv * np.cos(turn) - du * np.sin(turn)
    while True:
        other_family, other_inside = random_outline(rng, other_u, other_v)
        other_profile = str(rng.choice(PROFILES))
        parts = (family, other_profile), (other_family, profile)
        if (_NEVER_JOINED_TO_BOWLS, "bowl") not in parts:
            break
    thickness = rng.uniform(0.1, 0.35)
    part = 0.05 + thickness * _PROFILES[other_profile](rng, _depth_share(other_inside))
    if rng.random() < 0.3:  # on top of it
        part = part + np.where(inside > 0, height, 0)
    part = np.where(other_inside > 0, part, 0)
    return np.maximum(inside, size * other_inside), np.maximum(np.where(inside > 0, height, 0), part)


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
FAMILIES: tuple[str, ...] = (*OUTLINES, _STRANDS)


def _through_holes(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(S, S) bool: one hole in the middle; three, five, six … evenly on a circle; or a row or a block of small ones."""
    if rng.random() < 0.4:
        radius, pitch = rng.uniform(0.025, 0.06), rng.uniform(0.14, 0.3)
        columns, rows = rng.integers(2, 7), rng.choice([1, 1, 2, 3])
        row = np.clip(np.rint(v / pitch - rows / 2 + 0.5), 0, rows - 1) + 0.5 - rows / 2
        column = np.clip(np.rint(u / pitch - columns / 2 + 0.5), 0, columns - 1) + 0.5 - columns / 2
        return np.hypot(u - pitch * column, v - pitch * row) < radius
    radius = rng.uniform(0.05, 0.14)
    count = rng.choice([1, 2, 3, 5, 6, 8])
    if count == 1:
        return np.hypot(u, v) < 1.6 * radius
    orbit = rng.uniform(0.35, 0.6)
    sector = 2 * np.pi / count
    angle = (np.arctan2(v, u) + np.pi) % sector - sector / 2
    distance = np.hypot(u, v)
    return np.hypot(distance * np.cos(angle) - orbit, distance * np.sin(angle)) < radius
