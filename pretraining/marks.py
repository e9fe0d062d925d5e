"""What has happened to a pre-training object in one place: its change of height, of colour, and where it is seen.

The kinds are wider than the demo data set's defects, and their shapes and sizes are drawn in other ways: lengths are
shares of the object's half length, profiles are powers instead of cosines and circles.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pointad.demo.noise import smooth_noise, smooth_step
from pretraining.bodies import Body


@dataclass(frozen=True)
class Mark:
    """One mark on a body; all fields are (S, S)."""

    kind: str
    height: np.ndarray  # of the body with the mark
    area: np.ndarray  # bool, where the mark is seen
    tint: np.ndarray  # 0..1, how much of the mark's own colour covers the object's


MarkShape = Callable[[np.random.Generator, Body], tuple[np.ndarray, np.ndarray, np.ndarray]]


def random_mark(rng: np.random.Generator, body: Body, kind: str | None = None) -> Mark | None:
    """A mark on a body.

    Args:
        rng: the source of randomness.
        body: the object.
        kind: one of `KINDS`; random when None.

    Returns:
        The mark, or None when it missed the object or can hardly be seen.
    """
    kind = str(rng.choice(KINDS)) if kind is None else kind
    height, area, tint = _MARKS[kind](rng, body)
    area = area & (body.height > 0) & (height > 0)
    if area.sum() < 0.0008 * (body.height > 0).sum():
        return None
    return Mark(kind, np.maximum(height, 0), area, np.where(body.height > 0, tint, 0))


def _place(rng: np.random.Generator, body: Body, margin: float) -> tuple[float, float]:
    """A random point of the object, if possible farther than `margin` from its border."""
    candidates = np.flatnonzero((body.inside > margin) & (body.height > 0.05))
    if candidates.size == 0:
        candidates = np.flatnonzero(body.height > 0)
    chosen = rng.choice(candidates)
    return float(body.u.flat[chosen]), float(body.v.flat[chosen])


def _spot(rng: np.random.Generator, body: Body, radius: float) -> np.ndarray:
    """(S, S) distance from a random point in units of the radius of an uneven spot: below 1 is inside."""
    center_u, center_v = _place(rng, body, 0.4 * radius)
    du, dv = body.u - center_u, body.v - center_v
    angle, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 0.7))
    along, across = du * np.cos(angle) + dv * np.sin(angle), dv * np.cos(angle) - du * np.sin(angle)
    direction = np.arctan2(across, along)
    uneven = np.ones_like(du)
    for order in range(2, 6):
        uneven += rng.normal(0, 0.2 / order) * np.cos(order * direction + rng.uniform(0, 6))
    return np.hypot(along / stretch, across) * np.sqrt(stretch) / (radius * np.maximum(uneven, 0.3))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _some_tint(rng: np.random.Generator, cover: np.ndarray, chance: float) -> np.ndarray:
    """The mark's own colour over `cover`, or none at all."""
    return cover * (rng.uniform(0.4, 1.0) if rng.random() < chance else 0.0)


def _moved(body: Body, height: np.ndarray, limit: float = 0.006) -> np.ndarray:
    return np.abs(height - body.height) > limit


def _pit(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distance = _spot(rng, body, _log_uniform(rng, 0.08, 0.2))
    bowl = np.clip(1 - distance ** rng.uniform(1.5, 3), 0, 1) ** rng.uniform(0.7, 1.5)
    height = np.maximum(body.height - _log_uniform(rng, 0.035, 0.12) * bowl, 0.03 * (body.height > 0))
    return height, _moved(body, height), _some_tint(rng, (distance < 1) * 1.0, 0.2)


def _hollow(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wide and shallow."""
    distance = _spot(rng, body, _log_uniform(rng, 0.15, 0.3))
    height = np.maximum(body.height - rng.uniform(0.04, 0.1) * np.clip(1 - distance**2, 0, 1) ** 1.3, 0.02)
    return height, _moved(body, height, 0.006), _some_tint(rng, (distance < 1) * 1.0, 0.05)


def _hole(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deep, with steep walls; its bottom may be uneven or out of the camera's sight."""
    distance = _spot(rng, body, _log_uniform(rng, 0.06, 0.15))
    wall = smooth_step(1 - distance, 0, rng.uniform(0.1, 0.5))
    height = body.height - rng.uniform(0.08, 0.4) * wall
    bottom = 0.0 if rng.random() < 0.25 else 0.03
    height = np.maximum(height, np.minimum(bottom, body.height))
    seen = distance < 1.15
    return height, seen, _some_tint(rng, wall, 0.4)


def _line(rng: np.random.Generator, body: Body, half_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across a bent line through a random point."""
    center_u, center_v = _place(rng, body, 0.06)
    angle = rng.uniform(0, np.pi)
    du, dv = body.u - center_u, body.v - center_v
    along, across = du * np.cos(angle) + dv * np.sin(angle), dv * np.cos(angle) - du * np.sin(angle)
    across = across + rng.normal(0, 0.35) * (along**2 / half_length) + rng.normal(0, 0.1) * along**3 / half_length**2
    return along, across


def _groove(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    half_length = _log_uniform(rng, 0.18, 0.5)
    along, across = _line(rng, body, half_length)
    width = _log_uniform(rng, 0.025, 0.055)
    ends = 1 - smooth_step(np.abs(along), rng.uniform(0.5, 0.95) * half_length, half_length)
    channel = np.clip(1 - np.abs(across / width) ** rng.uniform(1, 4), 0, 1) * ends
    height = np.maximum(body.height - _log_uniform(rng, 0.025, 0.08) * channel, 0.02)
    return height, channel > 0.15, _some_tint(rng, (channel > 0.1) * 1.0, 0.3)


def _jagged(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A thin zigzag line, as brittle material opens."""
    half_length = _log_uniform(rng, 0.2, 0.7)
    along, across = _line(rng, body, half_length)
    zigzag = sum(
        rng.normal(0, 0.05 / order) * np.sin(order * 6 * along + rng.uniform(0, 6)) for order in (1.0, 2.3, 4.1, 7.7)
    )
    width = rng.uniform(0.02, 0.04) * np.clip(1 - (along / half_length) ** 2, 0, 1) + 1e-6
    channel = np.clip(1 - np.abs((across - zigzag) / width), 0, 1) * (np.abs(along) < half_length)
    height = np.maximum(body.height - rng.uniform(0.04, 0.12) * channel, 0.02)
    return height, channel > 0.1, _some_tint(rng, (channel > 0.2) * 1.0, 0.5)


def _cut(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A straight slot with steep walls that runs in from the border or across."""
    center_u, center_v = _place(rng, body, 0.02)
    angle = rng.uniform(0, 2 * np.pi)
    du, dv = body.u - center_u, body.v - center_v
    along, across = du * np.cos(angle) + dv * np.sin(angle), dv * np.cos(angle) - du * np.sin(angle)
    width, length = rng.uniform(0.02, 0.05), rng.uniform(0.25, 0.6)
    slot = smooth_step(1 - np.abs(across) / width, 0, 0.4) * ((along > 0) & (along < length))
    height = np.maximum(body.height - rng.uniform(0.03, 0.2) * slot, 0.015)
    return height, slot > 0.2, _some_tint(rng, (slot > 0.2) * 1.0, 0.2)


def _scrapes(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Several fine lines side by side."""
    half_length = _log_uniform(rng, 0.1, 0.3)
    along, across = _line(rng, body, half_length)
    pitch, count = rng.uniform(0.05, 0.08), rng.integers(2, 6)
    within = (np.abs(across) < count * pitch / 2) & (np.abs(along) < half_length)
    lines = np.clip(np.cos(2 * np.pi * across / pitch) - 0.2, 0, 1) * within
    height = np.maximum(body.height - rng.uniform(0.02, 0.05) * lines, 0.02)
    return height, within, _some_tint(rng, (lines > 0) * 1.0, 0.4)


def _lump(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distance = _spot(rng, body, _log_uniform(rng, 0.08, 0.2))
    swell = np.clip(1 - distance ** rng.uniform(1.5, 4), 0, 1) ** rng.uniform(0.4, 1.5)
    height = body.height + _log_uniform(rng, 0.035, 0.12) * swell * (body.height > 0)
    return height, _moved(body, height), _some_tint(rng, (distance < 1) * 1.0, 0.35)


def _foreign(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Something that does not belong to the object lies on it: a crumb, a chip, a piece of wire."""
    if rng.random() < 0.4:
        half_length = rng.uniform(0.08, 0.25)
        along, across = _line(rng, body, half_length)
        distance = np.maximum(np.abs(across) / rng.uniform(0.025, 0.05), np.abs(along) / half_length)
    else:
        distance = _spot(rng, body, _log_uniform(rng, 0.07, 0.15))
    piece = smooth_step(1 - distance, 0, rng.uniform(0.05, 0.4)) * (body.height > 0)
    rough = 1 + rng.uniform(0, 0.3) * smooth_noise(rng, body.axis, body.axis, 0.05, 0.15)
    height = body.height + rng.uniform(0.04, 0.1) * piece * rough
    return height, piece > 0.1, _some_tint(rng, (piece > 0.05) * 1.0, 0.9)


def _missing(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A piece of the border is gone: a corner, a bite or a slice, down to the table or to an uneven break."""
    border = np.flatnonzero((np.abs(body.inside) < 0.03) & (body.height > 0))
    if border.size == 0:
        border = np.flatnonzero(body.height > 0)
    chosen = rng.choice(border)
    du, dv = body.u - body.u.flat[chosen], body.v - body.v.flat[chosen]
    size = rng.uniform(0.15, 0.35)
    if rng.random() < 0.5:
        depth_in = size - np.hypot(du, dv)  # a bite
    else:
        toward_u, toward_v = body.u.flat[chosen], body.v.flat[chosen]
        length = np.hypot(toward_u, toward_v) + 1e-6
        angle = np.arctan2(toward_v / length, toward_u / length) + rng.normal(0, 0.4)
        inwards = -(du * np.cos(angle) + dv * np.sin(angle))
        sideways = np.abs(dv * np.cos(angle) - du * np.sin(angle))
        depth_in = np.minimum(size * 0.8 - inwards, rng.uniform(1.0, 2.5) * size - sideways)
    uneven = rng.uniform(0, 0.012) * smooth_noise(rng, body.axis, body.axis, 0.04, 0.2)
    floor = rng.choice([0.0, 0.0, 0.06, 0.12])
    steepness = rng.uniform(0.8, 5)
    broken = np.maximum(floor, body.height - steepness * np.maximum(depth_in + uneven, 0))
    broken = np.where(broken < 0.04, 0, broken)
    height = np.where((depth_in > 0) & (body.height > 0), np.minimum(body.height, broken), body.height)
    # Where nothing is left, the mark is seen on what stands around it.
    seen = (depth_in > -0.035) & (depth_in < size)
    gone = (depth_in > 0) & (body.height - height > 0.008)
    return height, seen & (gone | (depth_in < 0)), _some_tint(rng, gone * 1.0, 0.3)


def _rough(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distance = _spot(rng, body, _log_uniform(rng, 0.14, 0.3))
    within = 1 - smooth_step(distance, 0.7, 1.0)
    shortest = rng.uniform(0.03, 0.07)
    grain = smooth_noise(rng, body.axis, body.axis, shortest, 2 * shortest, waves=24)
    if rng.random() < 0.4:
        grain = 1.5 * np.abs(grain) - 1
    height = np.maximum(body.height + rng.uniform(0.012, 0.028) * grain * within, 0.02)
    return height, distance < 0.92, _some_tint(rng, within, 0.3)


def _stain(rng: np.random.Generator, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Another colour, the surface untouched."""
    if rng.random() < 0.25:
        half_length = rng.uniform(0.1, 0.5)
        along, across = _line(rng, body, half_length)
        distance = np.maximum(np.abs(across) / rng.uniform(0.03, 0.06), np.abs(along) / half_length)
    else:
        distance = _spot(rng, body, _log_uniform(rng, 0.09, 0.25))
    cover = 1 - smooth_step(distance, rng.uniform(0.4, 0.9), 1.0)
    return body.height, distance < 0.95, cover * rng.uniform(0.5, 1.0)


_MARKS: dict[str, MarkShape] = {
    "pit": _pit,
    "hollow": _hollow,
    "hole": _hole,
    "groove": _groove,
    "jagged line": _jagged,
    "cut": _cut,
    "scrapes": _scrapes,
    "lump": _lump,
    "foreign piece": _foreign,
    "missing piece": _missing,
    "rough patch": _rough,
    "stain": _stain,
}

KINDS: tuple[str, ...] = tuple(_MARKS)
COLOR_ONLY_KINDS: tuple[str, ...] = ("stain",)
