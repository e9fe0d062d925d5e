"""Smooth random fields for the unevenness, textures and wear of the generated objects."""

import numpy as np


def smooth_noise(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, shortest: float, longest: float, waves: int = 20
) -> np.ndarray:
    """A random field of mean about 0 and standard deviation about 1: a sum of plane waves.

    The sum is computed by `einsum` without BLAS, so that a seed gives the same bytes for any number of threads.

    Args:
        rng: the source of randomness.
        x, y: coordinates of the grid's columns (W,) and rows (H,), in any unit.
        shortest, longest: limits of the wavelengths, in the unit of the coordinates.
        waves: the number of plane waves.

    Returns:
        (H, W) float64.
    """
    wavelengths = np.exp(rng.uniform(np.log(shortest), np.log(longest), waves))
    directions = rng.uniform(0, np.pi, waves)
    phases = rng.uniform(0, 2 * np.pi, waves)
    along_x = 2 * np.pi * np.cos(directions) / wavelengths
    along_y = 2 * np.pi * np.sin(directions) / wavelengths
    columns = np.outer(along_x, x)  # (waves, W)
    rows = np.outer(along_y, y) + phases[:, None]  # (waves, H)
    # cos(a + b) = cos a cos b - sin a sin b splits every wave into two outer products.
    field = np.einsum("kh,kw->hw", np.cos(rows), np.cos(columns)) - np.einsum(
        "kh,kw->hw", np.sin(rows), np.sin(columns)
    )
    return field * np.sqrt(2 / waves)


def smooth_step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, and a smooth rise in between (third-degree Hermite polynomial)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
