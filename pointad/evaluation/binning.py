"""What is said about metrics of so many pixels that their scores were binned: how far they can be from exact."""

import math
from collections.abc import Callable, Mapping

from pointad.errors import shown

DECIMALS = 3  # of a bound, in points; tables show one


def binning_note(bounds: Mapping[str, Mapping[str, float | None]], title: Callable[[str], str]) -> str:
    """One sentence with the largest bound of every metric.

    Args:
        bounds: class -> metric -> how far it can be from exact, as a fraction; None where nothing is known.
        title: gives the heading of a metric's column.
    """
    metrics = dict.fromkeys(metric for of_class in bounds.values() for metric in of_class)
    largest = {metric: _at_most([of_class.get(metric, 0.0) for of_class in bounds.values()]) for metric in metrics}
    texts = [f"{title(metric)} {bound}" for metric, bound in largest.items()]
    classes = ", ".join(shown(name) for name in bounds)
    return (
        f"Pixel metrics of {classes} are binned, as they have more pixels than are kept; "
        f"in points, they differ from exact ones by at most: {', '.join(texts)}."
    )


def _at_most(fractions: list[float | None]) -> str:
    """The largest of them in points (per cent), rounded up."""
    known = [fraction for fraction in fractions if fraction is not None]
    if len(known) < len(fractions):
        return "unknown"
    return f"{math.ceil(max(known) * 100 * 10**DECIMALS) / 10**DECIMALS:.{DECIMALS}f}"
