"""How the maps of a single scan are smoothed."""

from pointad.compute.argument_kinds import as_choice
from pointad.scoring.options import checked_sigma

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
    return checked_sigma(sigma)
