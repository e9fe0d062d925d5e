"""What all command-line programs of this project share: how they start, how they fail, how they read numbers."""

import argparse
import logging
import sys
from collections.abc import Callable

from pointad.errors import PointADError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the layout of a program's description and shows every default that a flag has."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False):
            return action.help
        return super()._get_help_string(action)


def run(main: Callable[[argparse.Namespace], int | None], parser: argparse.ArgumentParser) -> None:
    """Parse the arguments, run ``main`` and leave with its exit code.

    An error of this library becomes one line on standard error and exit code 2; an interrupt leaves with 130.
    Anything else is a fault of the program and keeps its traceback.

    Args:
        main: takes the parsed arguments, returns an exit code (``None`` counts as 0).
        parser: the program's flags.
    """
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        code = main(arguments)
    except PointADError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(code or 0)


def positive_integer(text: str) -> int:
    """An ``argparse`` type: a whole number of at least 1."""
    value = _number(text, int, "a whole number")
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return int(value)


def non_negative_integer(text: str) -> int:
    """An ``argparse`` type: a whole number of at least 0."""
    value = _number(text, int, "a whole number")
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return int(value)


def positive_float(text: str) -> float:
    """An ``argparse`` type: a finite number above 0."""
    value = _number(text, float, "a number")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
    return value


def _number(text: str, kind: Callable[[str], float], name: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {name}") from None
