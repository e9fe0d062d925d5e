"""How the maps of a single scan are smoothed."""

import math

from pointad.compute.argument_kinds import as_choice, as_number
from pointad.errors import InputError
from pointad.scoring.options import LARGEST_SIGMA

SMOOTHINGS = ("surface", "grid")


def checked_width(smoothing: str, sigma: float) -> float:
    """The width of a smoothing, unless `PointAD.predict` cannot smooth with it.

    Args:
        smoothing: its name.
        sigma: its width in pixels.

    Raises:
        InputError: the name is unknown, or the width is no number, negative, not finite or larger than any picture.
    """
    as_choice(smoothing, "smoothing", SMOOTHINGS)
    width = as_number(sigma, "sigma")
    if not 0 <= width < math.inf:
        raise InputError(f"sigma {width:g}", "is not a width in pixels", "give a number of at least 0")
    if width > LARGEST_SIGMA:
        raise InputError(f"sigma {width:g}", f"is larger than {LARGEST_SIGMA}", "give a width in pixels")
    return width
