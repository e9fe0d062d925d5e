"""Shapes that the tests of predictions look at."""

import numpy as np


def closed_shape(count: int, seed: int = 0) -> np.ndarray:
    """A closed shape without symmetries, (N, 3), about 60 long."""
    directions = np.random.default_rng(seed).normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radius = 10 + 2 * directions[:, 0] + directions[:, 1] ** 3 + directions[:, 2] * directions[:, 0]
    return directions * radius[:, None] * [3, 2, 1]


def depth_scan(height: int = 200, width: int = 200) -> np.ndarray:
    """A bump as a depth camera sees it, (H, W, 3) float32 in metres, with holes around it."""
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - width / 2) / width * 0.1, (rows - height / 2) / height * 0.1
    bump = np.exp(-(x**2 + 2 * y**2 + x * y) / 0.0005)
    xyz = np.stack([x, y, 0.5 - 0.02 * bump], axis=-1).astype(np.float32)
    xyz[bump < 0.05] = 0
    return xyz


def ring(count: int, seed: int, bulge: float = 0.0) -> np.ndarray:
    """Points (N, 3) of a ring, 56 across, whose inner side faces its middle; a bulge rises from that side."""
    around, across = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=(2, count))
    thick = 8 + bulge * np.exp(-((around / 0.25) ** 2 + ((across - np.pi) / 0.6) ** 2))
    distance = 20 + thick * np.cos(across)
    return np.stack([distance * np.cos(around), distance * np.sin(around), thick * np.sin(across)], axis=-1)
