"""Parses flags as argparse does, and says where that would take something else than what was meant."""

import argparse
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn

from pointad.commands.lost_values import END_OF_FLAGS, refuse_lost_values
from pointad.commands.standard_streams import tell_lost_help
from pointad.errors import short

logger = logging.getLogger(__name__)

EXIT_ERROR = 2
LONGEST_LINE = 4_000  # characters of the log and of errors; names in them may be of any length
_NEGATIVE = re.compile(r"-(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$|-inf(inity)?$", re.IGNORECASE)  # argparse knows no exponents
_LEFT_OVER = "unrecognized arguments: "  # how argparse begins


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str], refuse: Callable[[str], NoReturn] | None = None
) -> argparse.Namespace:
    """The flags of a program; of one that is given several times, the last value, which is logged.

    Flags with the action "extend" collect their values. What the program does not take, words and numbers that a list
    repeats, and values that a shell lost, are told to ``refuse``; by default, it exits with argparse's usage and error
    line.
    """
    parser._negative_number_matcher = _NEGATIVE
    parser.error = refuse or partial(_say_usage, parser)  # type: ignore[method-assign,assignment]
    tell_lost_help(parser)
    refuse_lost_values(parser, arguments)
    _refuse_misspelt(parser, arguments)
    noted: dict[str, list[Any]] = {}

    class Noting(argparse.Namespace):
        def __setattr__(self, name: str, value: Any) -> None:
            noted.setdefault(name, []).append(value)
            super().__setattr__(name, value)

    flags = parser.parse_args(arguments, Noting())
    collecting = {action.dest for action in parser._actions if isinstance(action, argparse._ExtendAction)}
    flagged = {action.dest for action in parser._actions if action.option_strings}
    for name in flagged & noted.keys():
        given = noted[name] if _has_no_default(parser, name) else noted[name][1:]  # the first one is the default
        if name not in collecting and any(value != given[-1] for value in given):
            times = "twice" if len(given) == 2 else f"{len(given)} times"
            logger.warning("--%s is given %s, with different values; the last one counts", name, times)
    _refuse_repeated(parser, flags)
    return argparse.Namespace(**vars(flags))


def _refuse_repeated(parser: argparse.ArgumentParser, flags: argparse.Namespace) -> None:
    """Refuse a list with one value twice: none counts twice, and another may have been meant."""
    for action in (one for one in parser._actions if one.option_strings and one.nargs in ("+", "*")):
        values = [value for value in getattr(flags, action.dest) or () if isinstance(value, str | int)]
        repeated = next((value for value, count in Counter(values).items() if count > 1), None)
        if repeated is not None:
            parser.error(f"argument {action.option_strings[0]}: {repeated} is named twice; name it once")


def _has_no_default(parser: argparse.ArgumentParser, name: str) -> bool:
    return all(action.default is argparse.SUPPRESS for action in parser._actions if action.dest == name)


def _refuse_misspelt(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Name the flag that was meant; argparse would say that others are missing, or take the value for a scan."""
    known = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    for argument in arguments:
        if argument == END_OF_FLAGS:
            break
        name = argument.partition("=")[0]
        if not name.startswith("--") or " " in name or any(option.startswith(name) for option in known):
            continue
        meant = get_close_matches(name.lower().replace("-", "_").replace("__", "--", 1), known, n=1, cutoff=0.75)
        if meant:
            parser.error(f"{_LEFT_OVER}{name}; did you mean {meant[0]}?")


def _say_usage(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """As argparse does, but with names of files that a shell put in as printable text."""
    parser.print_usage(sys.stderr)
    takes_several = any(not action.option_strings and action.nargs in ("*", "+") for action in parser._actions)
    if takes_several and message.startswith(_LEFT_OVER) and not message.removeprefix(_LEFT_OVER).startswith("-"):
        message += "; name all files and folders together, before the flags"
    parser.exit(EXIT_ERROR, f"{parser.prog}: error: {short(message, LONGEST_LINE)}\n")
