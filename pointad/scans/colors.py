"""Converts three columns of numbers to 8-bit colours, provided that they cannot be anything else."""

import numpy as np

_ABOVE = 0.01  # by which interpolation and rounding take floats above 1 or 255
_UNIT_LENGTH = 0.01  # tolerance on the length of a normal, which is often written with few digits


def colors_from_named(values: np.ndarray) -> np.ndarray | None:
    """Colours from values that the file labels as colours: 0 to 1, 0 to 255 or 16-bit.

    Args:
        values: (..., 3) or (..., 4); the fourth is alpha, which is ignored.

    Returns:
        (..., 3) uint8; non-finite colours become black. None if the numbers cannot be colours.
    """
    values = values[..., :3]
    if values.dtype == np.uint8:
        return values
    finite = np.isfinite(values).all(axis=-1)
    if values.shape[-1] != 3 or not finite.any():
        return None
    values = np.where(finite[..., None], values, 0)
    largest = values.max()
    if values.min() < 0 or largest > 65535:
        return None
    above = 1 + (_ABOVE if values.dtype.kind == "f" else 0)
    if values.dtype.kind == "f" and largest <= above:
        scale = 255.0
    elif largest <= 255 * above:
        scale = 1.0
    else:
        scale = 255 / 65535
    return np.rint(np.minimum(values.astype(np.float64) * scale, 255)).astype(np.uint8)


def colors_from_unnamed(values: np.ndarray) -> np.ndarray | None:
    """Colours from unlabelled columns: accepted only if 0 to 1 or whole numbers up to 255, and not unit vectors.

    Args:
        values: (..., 3) numbers.

    Returns:
        (..., 3) uint8, or None.
    """
    if values.shape[-1] != 3 or not values.size:
        return None
    finite = values[np.isfinite(values).all(axis=-1)]
    if not len(finite) or finite.min() < 0 or finite.max() > 255 or is_normals(finite):
        return None
    if finite.max() > 1 and (finite != np.rint(finite)).any():
        return None
    return colors_from_named(values)


def colors_beside_points(others: np.ndarray, *, after_intensity: bool = False) -> tuple[np.ndarray | None, int | None]:
    """Colours among the unlabelled columns beside the coordinates: in front, behind an intensity, or behind normals.

    Args:
        others: (..., C) numbers: the columns after x y z.
        after_intensity: whether the first of them is more likely an intensity than a colour.

    Returns:
        (..., 3) uint8 and the first of their columns in `others`; or None for both.
    """
    for start in (1, 0) if after_intensity else (0, 1):
        colors = colors_from_unnamed(others[..., start : start + 3])
        if colors is not None:
            return colors, start
    if others.shape[-1] >= 6:  # nx ny nz r g b
        first = others[..., :3]
        if is_normals(first[np.isfinite(first).all(axis=-1)]):
            colors = colors_from_unnamed(others[..., 3:6])
            return colors, None if colors is None else 3
    return None, None


def is_normals(values: np.ndarray) -> bool:
    """Whether (N, 3) numbers are unit vectors, with few exceptions."""
    if not len(values) or np.abs(values).max() > 1 + _UNIT_LENGTH:
        return False
    lengths = np.linalg.norm(values.astype(np.float64), axis=-1)
    return float((np.abs(lengths - 1) < _UNIT_LENGTH).mean()) > 0.95
