"""How the maps of a single scan are smoothed."""

import math

from pointad.errors import InputError

SMOOTHINGS = ("surface", "grid")
LARGEST_SIGMA = 2048  # pixels, as on the command line; the memory of the kernel grows with it


def check_smoothing(smoothing: str, sigma: float) -> None:
    """Refuse what `PointAD.predict` cannot smooth with.

    Args:
        smoothing: its name.
        sigma: its width in pixels.

    Raises:
        InputError: the name is unknown, or the width is negative, not finite or larger than any picture.
    """
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing {smoothing!r}", "is unknown", f"use one of {', '.join(SMOOTHINGS)}")
    if not 0 <= sigma < math.inf:
        raise InputError(f"sigma {sigma:g}", "is no width in pixels", "give a number of at least 0")
    if sigma > LARGEST_SIGMA:
        raise InputError(f"sigma {sigma:g}", f"is larger than {LARGEST_SIGMA}", "give a width in pixels")
