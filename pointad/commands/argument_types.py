"""Numbers and labels on the command line, as types of ``argparse``: what is out of range is told before any work."""

import argparse
import math
from collections.abc import Callable

from pointad.compute.written_numbers import as_written
from pointad.scoring.options import LARGEST_SIGMA

LARGEST_INTEGER = 2**63 - 1  # what PyTorch and NumPy take
SMALLEST_FLOAT, LARGEST_FLOAT = 1e-12, 1e12
LARGEST_SIDE = 2048  # pixels; the published pictures have 336
LARGEST_COUNT = 1024  # of processes, or of what is kept in memory all at once
LONGEST_LABEL = 400  # characters


def positive_integer(text: str, *, largest: int = LARGEST_INTEGER) -> int:
    """A whole number of at least 1."""
    value = _whole_number(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    if value > largest:
        raise argparse.ArgumentTypeError(f"{text} is larger than {largest}")
    return value


def side_in_pixels(text: str) -> int:
    """The side of a square picture or grid, whose memory grows with its fourth power at worst."""
    return positive_integer(text, largest=LARGEST_SIDE)


def count(text: str) -> int:
    """How many there are of what costs memory each, such as processes."""
    return positive_integer(text, largest=LARGEST_COUNT)


def non_negative_integer(text: str) -> int:
    """A whole number of at least 0."""
    value = _whole_number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def positive_float(text: str, *, largest: float = LARGEST_FLOAT) -> float:
    """A finite number above 0."""
    value = number(text, float, "a number")
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
    if value < SMALLEST_FLOAT:
        raise argparse.ArgumentTypeError(f"{text} is smaller than {SMALLEST_FLOAT:g}")
    if value > largest:
        raise argparse.ArgumentTypeError(f"{text} is larger than {largest:g}")
    return value


def non_negative_float(text: str, *, largest: float = LARGEST_FLOAT) -> float:
    """A finite number of at least 0."""
    value = number(text, float, "a number")
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a finite number of at least 0")
    return 0.0 if value == 0 else positive_float(text, largest=largest)


def blur_in_pixels(text: str) -> float:
    """A standard deviation in pixels, as the library takes it."""
    return non_negative_float(text, largest=LARGEST_SIGMA)


def finite_float(text: str) -> float:
    """A finite number."""
    value = number(text, float, "a number")
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    if abs(value) > LARGEST_FLOAT:
        raise argparse.ArgumentTypeError(f"{text} is farther from 0 than {LARGEST_FLOAT:g}")
    return value


def label(text: str) -> str:
    """What a method or data are called in every row of a table."""
    if len(text) > LONGEST_LABEL:
        raise argparse.ArgumentTypeError(f"it has {len(text)} characters, {LONGEST_LABEL} at most are expected")
    return text


def _whole_number(text: str) -> int:
    value = int(number(text, int, "a whole number"))
    if value > LARGEST_INTEGER:
        raise argparse.ArgumentTypeError(f"{text} is larger than {LARGEST_INTEGER}")
    return value


def number(text: str, kind: Callable[[str], float], name: str) -> float:
    """A number as people write it, see `as_written`.

    Args:
        text: from the command line.
        kind: ``int`` or ``float``.
        name: what the text has to be, in words.
    """
    try:
        return kind(as_written(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {name}") from None
