"""How the maps of a single scan are smoothed."""

import math

from pointad.errors import InputError

SMOOTHINGS = ("surface", "grid")


def check_smoothing(smoothing: str, sigma: float) -> None:
    """Refuse what `PointAD.predict` cannot smooth with.

    Args:
        smoothing: its name.
        sigma: its width in pixels.

    Raises:
        InputError: the name is unknown, or the width is negative or not finite.
    """
    if smoothing not in SMOOTHINGS:
        raise InputError(f"smoothing {smoothing!r}", "is unknown", f"use one of {', '.join(SMOOTHINGS)}")
    if not 0 <= sigma < math.inf:
        raise InputError(f"sigma {sigma:g}", "is no width in pixels", "give a number of at least 0")
