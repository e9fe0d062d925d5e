"""The flags that say from where scans are rendered, how large their points are drawn, and which part is rendered."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from pointad.commands.argument_types import LARGEST_SIDE, positive_integer, side_in_pixels
from pointad.data.shards import Shard
from pointad.data.view_subset import VIEW_COUNT, ViewChoice
from pointad.errors import InputError
from pointad.files.json_files import read_json
from pointad.rendering.views import MOST_VIEWS, View, repeated_direction

AUTO = "auto"
VIEWS_OF_RIGS = {AUTO: VIEW_COUNT, "front": VIEW_COUNT, "around": VIEW_COUNT, "all_sides": VIEW_COUNT + 2}
RIG_NAMES = tuple(VIEWS_OF_RIGS)
LARGEST_OLD_POINT = 64  # pixels; with more, --point_size was meant as the side of the grid of points

_RIG_FILE = "a JSON file with a list of views, such as a data set's rendering.json"
RIG_FILE_HELP = f"directions of the views, from {_RIG_FILE}"


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


def add_named_rig_argument(group: argparse._ActionsContainer) -> None:
    """``--rig`` where single scans are looked at: by name, or from a file."""
    group.add_argument(
        "--rig",
        default=AUTO,
        metavar="|".join((*RIG_NAMES, "FILE")),
        help="directions of the views: front (scans from one side), around (closed shapes, from around their longest "
        "axis), all_sides (the same, and the two ends of that axis), auto (front for organized scans, around for "
        f"others), or {_RIG_FILE} (default: auto)",
    )


def view_or_count(text: str) -> View | int:
    """An ``argparse`` type: an axis and an angle, such as x-45, or how many views."""
    if text.isdecimal():
        return positive_integer(text)
    try:
        return View.from_name(text)
    except InputError:
        problem = f"{text!r} is neither a number of views nor an axis and degrees, such as x-45 or y30"
        raise argparse.ArgumentTypeError(problem) from None


def view_choice(given: Sequence[View | int] | None, rig: Path | None = None) -> ViewChoice:
    """What ``--views`` asks for in every program: a single number, or directions.

    Args:
        given: the values of the flag; None: it is not given.
        rig: the file given as ``--rig``, whose views they are taken from.

    Raises:
        InputError: numbers and directions are mixed, a direction is given twice, or the file cannot be used.
    """
    own = None if rig is None else read_rig(rig)
    if given is None:
        return ViewChoice(rig=own)
    directions = tuple(each for each in given if isinstance(each, View))
    if len(given) == 1 and not directions:
        (count,) = given
        return ViewChoice(count=count, rig=own)  # type: ignore[arg-type]
    remedy = "give one number, or directions such as x-45 x0 x45"
    if len(directions) < len(given):
        raise InputError("--views", "contains a number and further values", remedy)
    _refuse_repeated("--views", directions, remedy)
    return ViewChoice(directions=directions, rig=own)


def rig_and_views(rig: str, given: Sequence[View | int] | None) -> tuple[str, ViewChoice]:
    """What ``--rig`` and ``--views`` ask for where single scans are looked at: a rig by name, and which views.

    Raises:
        InputError: as :func:`view_choice`, or the rig has fewer views or others. No scan is looked at then, and no
            earlier result is gone.
    """
    if rig not in RIG_NAMES:
        choice = view_choice(given, Path(rig))
        choice.within_rig(organized=True)
        return AUTO, choice
    choice, count = view_choice(given), VIEWS_OF_RIGS[rig]
    if choice.count is not None and choice.count > count:
        raise InputError(
            f"--views {choice.count}", f"--rig {rig} has {count} views", f"give a number from 1 to {count}"
        )
    return rig, choice


def read_rig(path: Path) -> tuple[View, ...]:
    """The directions in a file for ``--rig``: JSON with a list "views", such as the rendering.json of rendered data.

    Raises:
        InputError: it cannot be read, or has no list of different directions.
    """
    remedy = 'give a JSON file such as {"views": ["x-40", "x0", "x40"]}, or the rendering.json of a rendered data set'
    content = read_json(path, remedy)
    names = content.get("views") if isinstance(content, dict) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise InputError(path, "has no list of views", remedy)
    if len(names) > MOST_VIEWS:
        raise InputError(path, f"has {len(names)} views, more than {MOST_VIEWS}", remedy)
    try:
        directions = tuple(View.from_name(name) for name in names)
    except InputError as error:
        raise InputError(path, f"holds an invalid view ({error.subject})", remedy) from error
    _refuse_repeated(path, directions, remedy)
    return directions


def _refuse_repeated(subject: str | Path, directions: Sequence[View], remedy: str) -> None:
    repeated = repeated_direction(directions)
    if repeated is not None:
        first, second = (view.name for view in repeated)
        raise InputError(subject, f"contains a direction twice: {first} and {second} are the same", remedy)


def shard(text: str) -> Shard:
    """An ``argparse`` type: which part of how many, such as 3/16."""
    match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form K/N with K from 1 to N, such as 3/16")
    return Shard(int(match[1]), int(match[2]))


def point_pixels(text: str) -> int | str:
    """An ``argparse`` type: "auto" or a whole number of pixels."""
    try:
        return text if text == "auto" else side_in_pixels(text)
    except argparse.ArgumentTypeError:
        problem = f"{text!r} is neither auto nor a whole number from 1 to {LARGEST_SIDE}"
        raise argparse.ArgumentTypeError(problem) from None


def _old_point_size(text: str) -> int | str:
    size = point_pixels(text)
    if isinstance(size, int) and size > LARGEST_OLD_POINT:
        raise argparse.ArgumentTypeError(
            f"{text} is the size of a point in pixels here, see --point_pixels; the side of the point grid is "
            "set when training and testing"
        )
    return size
