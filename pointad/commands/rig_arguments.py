"""The flags that say from where scans are rendered, how large their points are drawn, and which part is rendered."""

import argparse
import re
from collections.abc import Sequence

from pointad.commands.program import positive_integer
from pointad.data.shards import Shard
from pointad.data.view_subset import AvailableViews, ViewChoice
from pointad.errors import InputError
from pointad.rendering.views import View, ViewRig

LARGEST_OLD_POINT = 64  # pixels; with more, --point_size was meant as the side of the grid of points


def add_rig_arguments(group: argparse._ActionsContainer, *, view_help: str, point_help: str) -> None:
    """Views and point size; the latter has an older name, which means something else when training and testing.

    Args:
        group: gets the flags.
        view_help: what the views are, and what they are by default.
        point_help: the same about the size of points.
    """
    group.add_argument("--views", nargs="+", type=view_or_count, metavar="VIEW", help=view_help)
    group.add_argument("--point_pixels", type=point_pixels, metavar="auto|PIXELS", help=point_help)
    group.add_argument(
        "--point_size",
        dest="point_pixels",
        type=_old_point_size,
        metavar="auto|PIXELS",
        default=argparse.SUPPRESS,
        help="the older name of --point_pixels",
    )


def view(text: str) -> View:
    """An ``argparse`` type: an axis and an angle, such as x-45."""
    try:
        return View.from_name(text)
    except InputError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an axis and degrees, such as x-45 or y30") from None


def view_or_count(text: str) -> View | int:
    """An ``argparse`` type: a view, or how many of them."""
    return positive_integer(text) if text.isdecimal() else view(text)


def view_choice(given: Sequence[View | int] | None) -> ViewChoice:
    """What ``--views`` asks for in every program: a single number, or directions.

    Raises:
        InputError: numbers and directions are mixed, or a direction is given twice.
    """
    if given is None:
        return ViewChoice()
    directions = tuple(each for each in given if isinstance(each, View))
    if len(given) == 1 and not directions:
        (count,) = given
        return ViewChoice(count=count)  # type: ignore[arg-type]
    remedy = "give one number, or directions such as x-45 x0 x45"
    if len(directions) < len(given):
        raise InputError("--views", "contains more than one number", remedy)
    if len(set(directions)) < len(directions):
        raise InputError("--views", "contains a direction twice", remedy)
    return ViewChoice(directions=directions)


def chosen_directions(choice: ViewChoice, rig: ViewRig, *, organized: bool) -> tuple[View, ...] | None:
    """The directions that are to be rendered; None: the rig's own.

    Args:
        choice: from :func:`view_choice`.
        rig: whose views a number is taken from.
        organized: see ``view_subset``.

    Raises:
        InputError: the rig has fewer views.
    """
    if choice.count is None:
        return choice.directions
    available = AvailableViews(len(rig.views), rig.views, "the rig")
    return tuple(rig.views[index] for index in available.chosen(choice, organized=organized))


def shard(text: str) -> Shard:
    """An ``argparse`` type: which part of how many, such as 3/16."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form K/N with K from 1 to N, such as 3/16")
    return Shard(int(match[1]), int(match[2]))


def point_pixels(text: str) -> int | str:
    """An ``argparse`` type: "auto" or a whole number of pixels."""
    return text if text == "auto" else positive_integer(text)


def _old_point_size(text: str) -> int | str:
    size = point_pixels(text)
    if isinstance(size, int) and size > LARGEST_OLD_POINT:
        raise argparse.ArgumentTypeError(
            f"{text} is the size of a point in pixels here, see --point_pixels; the side of the point grid is "
            "set when training and testing"
        )
    return size
