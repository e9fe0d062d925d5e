"""Generated parts with dents and bumps at the ends of their longest axis or elsewhere, as clouds and as meshes."""

from dataclasses import dataclass

import numpy as np

# Half of a section through the longest axis: (x, radius) from end to end, millimetres.
SECTIONS = {
    "shaft": ((-50, 0), (-50, 9), (-12, 9), (-12, 14), (8, 14), (8, 11), (50, 11), (50, 0)),
    "cylinder": ((-22, 0), (-22, 19), (22, 19), (22, 0)),
    "knob": ((-24, 0), (-24, 7), (-4, 7), (0, 17), (20, 17), (24, 13), (24, 0)),
}
BOX = np.array([60.0, 36.0, 22.0])
PARTS = (*SECTIONS, "box")
NOISE = 0.02  # millimetres


@dataclass(frozen=True)
class Part:
    """A cloud of N points on a part."""

    points: np.ndarray  # (N, 3) float64, millimetres, the longest axis along x
    defective: np.ndarray  # (N,) bool


def part(name: str, seed: int, depth: float = 0.0, at_end: bool = False, count: int = 30_000) -> Part:
    """One specimen of a part, measured at other points with every seed.

    Args:
        name: one of PARTS.
        seed: of the points, the noise and the defect's place.
        depth: of a dent, or below 0 the height of a bump, millimetres; 0: a good part.
        at_end: whether the defect is on one of the two ends.
        count: of points.
    """
    random = np.random.default_rng(seed)
    points, normals = _box(count, random) if name == "box" else _turned(SECTIONS[name], count, random)
    points = points + NOISE * random.normal(size=points.shape)
    if depth == 0:
        return Part(points, np.zeros(count, bool))
    on_end = np.abs(normals[:, 0]) * (np.abs(points[:, 0]) > 0.99 * np.abs(points[:, 0]).max()) > 0.9
    radius = 0.45 * float(np.abs(points[on_end, 1:]).max(axis=0).min())
    inside = np.linalg.norm(points[:, 1:], axis=1) < 0.5 * radius  # of an end, so that the defect is whole
    centre = random.choice(np.flatnonzero(on_end & inside if at_end else ~on_end))
    distance = np.linalg.norm(points - points[centre], axis=1)
    same_side = normals @ normals[centre] > 0.5
    share = np.where(same_side, np.clip(1 - (distance / radius) ** 2, 0, None) ** 2, 0)
    return Part(points - depth * share[:, None] * normals, share > 0.05)


def turned_mesh(name: str, around: int, along: int) -> tuple[np.ndarray, np.ndarray]:
    """A turned part as vertices (V, 3) and triangles (T, 3): two for each of `around` x `along` faces."""
    line = np.array(SECTIONS[name], float)
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    places = np.linspace(0, lengths[-1], along + 1)
    x, radius = (np.interp(places, lengths, line[:, axis]) for axis in (0, 1))
    angles = 2 * np.pi * np.arange(around) / around
    vertices = np.stack(
        [np.repeat(x, around), np.outer(radius, np.cos(angles)).ravel(), np.outer(radius, np.sin(angles)).ravel()], 1
    )
    first = (around * np.arange(along)[:, None] + np.arange(around)).ravel()
    beside = (around * np.arange(along)[:, None] + (np.arange(around) + 1) % around).ravel()
    triangles = np.concatenate(
        [np.stack([first, beside, first + around], 1), np.stack([beside, beside + around, first + around], 1)]
    )
    corners = vertices[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return vertices, triangles[area > 0]


def _turned(
    section: tuple[tuple[float, float], ...], count: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    line = np.array(section, float)
    starts, steps = line[:-1], np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    areas = lengths * (line[:-1, 1] + line[1:, 1])
    piece = random.choice(len(steps), count, p=areas / areas.sum())
    low, high = line[piece, 1], line[piece + 1, 1]
    share = random.random(count)
    even = np.sqrt(low**2 + share * (high**2 - low**2))  # as many points on every bit of a cone
    share = np.where(np.isclose(low, high), share, (even - low) / np.where(np.isclose(low, high), 1, high - low))
    x, radius = (starts[piece] + share[:, None] * steps[piece]).T
    across = np.stack([-steps[:, 1], steps[:, 0]], 1)[piece] / lengths[piece, None]  # along x, and outwards
    cosine, sine = np.cos(angle := 2 * np.pi * random.random(count)), np.sin(angle)
    points = np.stack([x, radius * cosine, radius * sine], 1)
    return points, np.stack([across[:, 0], across[:, 1] * cosine, across[:, 1] * sine], 1)


def _box(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    areas = BOX.prod() / BOX
    axis = random.choice(3, count, p=areas / areas.sum())
    side = random.choice([-1.0, 1.0], count)
    points = (random.random((count, 3)) - 0.5) * BOX
    points[np.arange(count), axis] = side * BOX[axis] / 2
    normals = np.zeros((count, 3))
    normals[np.arange(count), axis] = side
    return points, normals
