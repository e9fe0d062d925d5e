"""The options of scoring; nothing here imports torch."""

import math

from pointad.compute.argument_kinds import as_number
from pointad.errors import InputError

DEFAULT_SIGMA = 4.0  # pixels
LARGEST_SIGMA = 2048  # pixels; the memory of the kernel grows with it
FUSIONS = ("both", "map", "global")  # the components of a sample's score; the paper uses both


def checked_sigma(sigma: float) -> float:
    """The width of a smoothing in pixels, unless nothing can be smoothed with it.

    Raises:
        InputError: it is no number, negative, not finite or larger than any picture.
    """
    width = as_number(sigma, "sigma")
    if not 0 <= width < math.inf:
        raise InputError(f"sigma {width:g}", "is not a width in pixels", "give a number of at least 0")
    if width > LARGEST_SIGMA:
        raise InputError(f"sigma {width:g}", f"is larger than {LARGEST_SIGMA}", "give a width in pixels")
    return width
