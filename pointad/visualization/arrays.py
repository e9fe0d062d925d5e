"""Checks of the arrays that are drawn: of another type or shape they would be shown as something else."""

from typing import Any

import numpy as np

from pointad.errors import InputError


def as_picture(values: Any, name: str) -> np.ndarray:
    """Values of pictures, uint8, of any shape.

    Args:
        values: the picture or pictures.
        name: what errors call them.

    Raises:
        InputError: they are of another type.
    """
    picture = np.asarray(values)
    if picture.dtype != np.uint8:
        raise InputError(name, f"are {picture.dtype}", "give uint8, 0 to 255")
    return picture


def require_shape(values: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """Refuse an array of another shape.

    Raises:
        InputError: it has one.
    """
    if values.shape != shape:
        raise InputError(name, f"have the shape {values.shape}", f"give them in the shape {shape}")


def as_finite(values: Any, name: str) -> np.ndarray:
    """Finite real numbers, of any shape and their own type.

    Raises:
        InputError: they are none, or one is not finite.
    """
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "biuf":
        raise InputError(name, f"are {numbers.dtype}", "give real numbers")
    if not np.isfinite(numbers).all():
        raise InputError(name, "hold values that are not finite", "leave out what they belong to")
    return numbers
