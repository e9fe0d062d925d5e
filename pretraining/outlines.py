"""Outlines of the objects that the demo backbone is pre-trained on, seen from above.

An outline is a field: the (approximate) distance to the border of the object, positive inside. Coordinates are in
units of the object's half length. None of the demo data set's ten shapes can come out of these families.
"""

from collections.abc import Callable

import numpy as np

Outline = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


def random_outline(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> tuple[str, np.ndarray]:
    """A random family and one outline of it.

    Args:
        rng: the source of randomness.
        u, v: (H, W) coordinates in units of the half length.

    Returns:
        The family's name and the field of distances (H, W), positive inside.
    """
    family = str(rng.choice(OUTLINES))
    return family, _OUTLINES[family](rng, u, v)


def _superellipse(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    exponent = np.exp(rng.uniform(np.log(1.3), np.log(7)))
    narrow = rng.uniform(0.35, 1.0)
    radius = (np.abs(u) ** exponent + np.abs(v / narrow) ** exponent) ** (1 / exponent)
    return (1 - radius) * narrow


def _polygon(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Convex, with 3 to 8 uneven sides; or an even prism."""
    sides = rng.integers(3, 9)
    angles = 2 * np.pi * (np.arange(sides) + rng.uniform(-0.25, 0.25, sides) * rng.choice([0, 1])) / sides
    distances = rng.uniform(0.55, 0.85, sides) if rng.random() < 0.5 else np.full(sides, 0.8)
    inside = np.full(u.shape, np.inf)
    for angle, distance in zip(angles, distances, strict=True):
        inside = np.minimum(inside, distance - u * np.cos(angle) - v * np.sin(angle))
    return np.minimum(inside, 1.05 - np.hypot(u, v))


def _blob(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A closed curve of a few random waves about a circle or an oval."""
    narrow = rng.uniform(0.55, 1.0)
    radius, angle = np.hypot(u, v / narrow), np.arctan2(v / narrow, u)
    border = np.full(u.shape, 0.8)
    for order in range(2, 7):
        border += rng.normal(0, 0.16 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    return (border - radius) * narrow


def _rod(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A straight or slightly bent bar with round, blunt or tapering ends."""
    half = rng.uniform(0.12, 0.32)
    v = v + rng.uniform(-0.35, 0.35) * (u**2 - 0.4)
    half_here = half * (1 + rng.uniform(-0.35, 0.35) * u + rng.uniform(-0.3, 0.15) * u**2)
    if rng.random() < 0.5:
        return half_here - np.hypot(np.maximum(np.abs(u) - (1 - half), 0), v)
    return np.minimum(half_here - np.abs(v), 1 - np.abs(u))


def _boxes(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Two or three rectangles laid over each other: angles, crosses, stairs."""
    inside = np.full(u.shape, -np.inf)
    for _ in range(rng.integers(2, 4)):
        center_u, center_v = rng.uniform(-0.35, 0.35, 2)
        half_u, half_v = rng.uniform(0.2, 0.65, 2)
        box = np.minimum(half_u - np.abs(u - center_u), half_v - np.abs(v - center_v))
        inside = np.maximum(inside, box)
    return inside


def _ring(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A closed round, oval or rounded-square ring."""
    exponent = rng.choice([2.0, 2.0, 4.0])
    narrow = rng.uniform(0.65, 1.0)
    radius = (np.abs(u) ** exponent + np.abs(v / narrow) ** exponent) ** (1 / exponent)
    half = rng.uniform(0.14, 0.34)
    return (half - np.abs(radius - (1 - half))) * narrow


def _discs(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Two to five discs that flow into each other."""
    count = rng.integers(2, 6)
    centers, radii = rng.uniform(-0.5, 0.5, (count, 2)), rng.uniform(0.22, 0.5, count)
    sharpness = rng.uniform(8, 30)
    total = sum(
        np.exp(sharpness * (radius - np.hypot(u - center_u, v - center_v)))
        for (center_u, center_v), radius in zip(centers, radii, strict=True)
    )
    return np.log(np.maximum(total, 1e-12)) / sharpness


def _lens(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The overlap of two discs, with blunt corners, or one disc with flats cut off."""
    shift = rng.uniform(0.2, 0.7)
    inside = np.minimum(1 - np.hypot(u, v - shift), 1 - np.hypot(u, v + shift))
    return np.minimum(inside, rng.uniform(0.5, 0.9) - np.abs(u)) if rng.random() < 0.7 else inside


def _star(rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Three to six arms that end in points, which may be bent all to one side, or a drop with one point."""
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    arms = rng.choice([1, 3, 4, 5, 6])
    bent = angle + rng.uniform(-0.8, 0.8) * rng.choice([0, 1]) * radius
    sector = 2 * np.pi / arms
    from_tip = np.abs((bent + np.pi) % sector - sector / 2) / (sector / 2)  # 0 along an arm, 1 between two
    waist = rng.uniform(0.3, 0.6)
    border = waist + (0.98 - waist) * (1 - from_tip) ** rng.uniform(1.0, 2.5)
    return (border - radius) * rng.uniform(0.5, 0.9)


_OUTLINES: dict[str, Outline] = {
    "blob": _blob,
    "boxes": _boxes,
    "discs": _discs,
    "lens": _lens,
    "polygon": _polygon,
    "ring": _ring,
    "rod": _rod,
    "star": _star,
    "superellipse": _superellipse,
}

OUTLINES: tuple[str, ...] = tuple(_OUTLINES)
