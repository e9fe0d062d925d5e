"""The colours of the demo data set: every class has its own, with a texture that differs from specimen to specimen."""

import numpy as np

from pointad.demo.noise import smooth_noise

# Share of red, green and blue light reflected, per class, and the strength and size (metres) of its texture.
_COLORS: dict[str, tuple[tuple[float, float, float], float, float]] = {
    "brick": ((0.78, 0.16, 0.14), 0.015, 0.02),
    "button": ((0.86, 0.82, 0.72), 0.03, 0.008),
    "croissant": ((0.80, 0.55, 0.26), 0.09, 0.007),
    "gear": ((0.58, 0.60, 0.63), 0.03, 0.004),
    "horseshoe": ((0.45, 0.43, 0.42), 0.06, 0.006),
    "leaf": ((0.32, 0.58, 0.24), 0.06, 0.010),
    "pear": ((0.76, 0.78, 0.32), 0.06, 0.009),
    "pretzel": ((0.62, 0.36, 0.17), 0.08, 0.008),
    "spoon": ((0.70, 0.56, 0.40), 0.06, 0.012),
    "walnut": ((0.64, 0.50, 0.34), 0.08, 0.005),
}


def object_albedo(class_name: str, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Colours of one specimen.

    Args:
        class_name: a class of the demo data set.
        rng: the source of the specimen's variation.
        x, y: (W,) and (H,) positions of the grid's columns and rows in metres.

    Returns:
        (H, W, 3) float64, share of red, green and blue light reflected.
    """
    color, strength, size = _COLORS[class_name]
    base = np.array(color) * rng.uniform(0.92, 1.06) + rng.normal(0, 0.012, 3)
    fine = smooth_noise(rng, x, y, 0.3 * size, size)
    coarse = smooth_noise(rng, x, y, 2 * size, 5 * size, waves=12)
    shade = 1 + strength * (0.7 * fine + 0.7 * coarse)
    return np.clip(base * shade[..., None], 0.02, 1)


def table_albedo(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(H, W, 3) float64: a dull table, of nearly the same grey everywhere."""
    grey = rng.uniform(0.16, 0.3)
    texture = 1 + 0.04 * smooth_noise(rng, x, y, 0.002, 0.03)
    return grey * texture[..., None] * np.array([1.0, 0.99, 0.96])
