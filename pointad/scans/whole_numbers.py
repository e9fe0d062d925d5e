"""Tells numbers without a fraction, such as labels, bytes and numbers of rows, from coordinates."""

import numpy as np


def are_whole(values: np.ndarray) -> bool:
    """Whether finite numbers, of any shape, are whole; so are none at all."""
    return bool((values == np.rint(values)).all())
