"""Clouds that come out the same, bit by bit, on every machine: only exactly rounded arithmetic makes them.

Stored pictures can so be compared without storing the clouds they show. Normals are invented along with the points
(the renderer takes any), and half of them point away from the surface, as estimated ones do.
"""

from dataclasses import dataclass

import numpy as np

from pointad.scans.point_cloud import PointCloud


@dataclass(frozen=True)
class ShadedCloud:
    cloud: PointCloud
    normals: np.ndarray  # (N, 3) float64 unit vectors


def bowl(side: int = 168) -> ShadedCloud:
    """An organized height field in metres, 10 cm wide, with noise, a hole in the middle and a bump."""
    row, column = np.divmod(np.arange(side * side), side)
    x = (column - (side - 1) / 2) * (0.1 / side)
    y = (row - (side - 1) / 2) * (0.1 / side)
    bump = np.maximum(0, 1 - ((x - 0.025) ** 2 + (y + 0.02) ** 2) / 0.012**2)
    z = 0.6 + 9 * (x * x + y * y) - 120 * x * y * y + 0.004 * bump * bump + 4e-5 * noise(side * side, 1)
    normals = unit(np.stack((18 * x - 120 * y * y, 18 * y - 240 * x * y, -np.ones_like(x)), axis=1))
    kept = np.flatnonzero(x * x + y * y > 0.012**2)
    place = row * (336 // side) * 336 + column * (336 // side)
    cloud = PointCloud(
        np.stack((x, y, z), axis=1)[kept], (bump > 0)[kept], nonzero_indices=place[kept].astype(np.int32)
    )
    return ShadedCloud(cloud, with_mixed_signs(normals[kept]))


def blob(side: int = 80) -> ShadedCloud:
    """A closed, uneven surface in millimetres, 4 cm wide, with noise; one end is anomalous."""
    directions = unit(cube(side))
    x, y, z = directions.T
    radius = 20 * (1 + 0.25 * x * y + 0.2 * z * z * x) + 0.02 * noise(len(x), 2)
    normals = unit(directions + 0.2 * np.stack((y * z, x * z, -x * y), axis=1))
    return ShadedCloud(PointCloud(directions * radius[:, None], x > 0.85), with_mixed_signs(normals))


def box(side: int = 80) -> ShadedCloud:
    """The surface of a noisy box in metres, tilted so that it faces the Eyecandies camera, which must step back."""
    points = cube(side)
    normals = unit(points**9 + 1e-3)
    points = points * np.array([0.3, 0.2, 0.25]) + 5e-4 * np.stack([noise(len(points), k) for k in (3, 4, 5)], axis=1)
    cloud = PointCloud(tilted(points), points[:, 0] + points[:, 1] > 0.3)
    return ShadedCloud(cloud, with_mixed_signs(tilted(normals)))


def tilted(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, 3) turned by -45 degrees about x."""
    x, y, z = vectors.T
    return np.stack((x, (y + z) * np.sqrt(0.5), (z - y) * np.sqrt(0.5)), axis=1)


def cube(side: int) -> np.ndarray:
    """Points (6 side², 3) on a grid over the six faces of the cube from -1 to 1."""
    step = (np.arange(side) + 0.5) * (2 / side) - 1
    u, v = (grid.ravel() for grid in np.meshgrid(step, step))
    one = np.ones_like(u)
    faces = [(one, u, v), (-one, u, v), (u, one, v), (u, -one, v), (u, v, one), (u, v, -one)]
    return np.concatenate([np.stack(face, axis=1) for face in faces])


def noise(count: int, seed: int) -> np.ndarray:
    """Numbers (count,) between -0.5 and 0.5 from a mixed-up counter."""
    state = np.arange(count, dtype=np.int64) + seed * 1_000_003
    for _ in range(3):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        state ^= state >> 11
    return state / 2**31 - 0.5


def with_mixed_signs(normals: np.ndarray) -> np.ndarray:
    return normals * np.where(noise(len(normals), 9) > 0, 1.0, -1.0)[:, None]


def unit(vectors: np.ndarray) -> np.ndarray:
    x, y, z = vectors.T
    return vectors / np.sqrt(x * x + y * y + z * z)[:, None]
