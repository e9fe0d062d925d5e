"""The note on pixel metrics with binned scores: how far they can be from the exact values."""

import math
from collections.abc import Callable, Mapping

from pointad.errors import shown

DECIMALS = 3  # of a bound, in percentage points; tables show one


def binning_note(bounds: Mapping[str, Mapping[str, float | None]], title: Callable[[str], str]) -> str:
    """One sentence with the largest bound of every metric.

    Args:
        bounds: class -> metric -> largest deviation from the exact value, as a fraction; None if unknown.
        title: gives the heading of a metric's column.
    """
    metrics = dict.fromkeys(metric for of_class in bounds.values() for metric in of_class)
    largest = {metric: _at_most([of_class.get(metric, 0.0) for of_class in bounds.values()]) for metric in metrics}
    texts = [f"{title(metric)} {bound}" for metric, bound in largest.items()]
    classes = ", ".join(shown(name) for name in bounds)
    return (
        f"Pixel metrics of {classes} are binned, as there are too many pixels to keep; "
        f"in percentage points, they differ from the exact values by at most: {', '.join(texts)}."
    )


def _at_most(fractions: list[float | None]) -> str:
    """The largest of them in percentage points, rounded up."""
    known = [fraction for fraction in fractions if fraction is not None]
    if len(known) < len(fractions):
        return "unknown"
    return f"{math.ceil(max(known) * 100 * 10**DECIMALS) / 10**DECIMALS:.{DECIMALS}f}"
