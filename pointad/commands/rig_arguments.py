"""How directions of views and point sizes are written on the command line."""

import argparse
import re

from pointad.commands.program import positive_integer
from pointad.rendering.views import View


def view(text: str) -> View:
    """An ``argparse`` type: an axis and an angle, such as x-45."""
    match = re.fullmatch(r"([xy])([+-]?\d+(?:\.\d+)?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an axis and degrees, such as x-45 or y30")
    return View(match[1], float(match[2]))


def point_size(text: str) -> int | str:
    """An ``argparse`` type: "auto" or a whole number of pixels."""
    return text if text == "auto" else positive_integer(text)
