"""What all command-line programs of this project share: how they start, how they fail, how they read numbers."""

import argparse
import contextlib
import errno
import io
import logging
import os
import sys
from collections.abc import Callable

from tqdm import tqdm

from pointad.errors import PointADError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
EXIT_UNREAD = 141  # 128 + SIGPIPE

# What can befall any file at any moment and has nothing to do with the program.
_MISHAPS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the layout of a program's description and shows every default that a flag has."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False):
            return action.help
        return super()._get_help_string(action)


def run(main: Callable[[argparse.Namespace], int | None], parser: argparse.ArgumentParser) -> None:
    """Parse the arguments, run ``main`` and leave with its exit code.

    An error of this library, or of a disk, becomes one line on standard error and exit code 2; an interrupt leaves with
    130, and output that nobody reads any more (as with ``| head``) with 141. Anything else is a fault of the program
    and keeps its traceback.

    Args:
        main: takes the parsed arguments, returns an exit code (``None`` counts as 0).
        parser: the program's flags.
    """
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may hold what the terminal's encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        code = main(arguments)
        sys.stdout.flush()
    except PointADError as error:
        _say_error(str(error))
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        sys.exit(EXIT_UNREAD)
    except OSError as error:
        if error.errno not in _MISHAPS:
            raise
        subject = error.filename or "standard output"
        _say_error(f"{subject}: {error.strerror}; see to its permissions and free space")
        _drop_output()
        sys.exit(EXIT_ERROR)
    sys.exit(code or 0)


def _say_error(text: str) -> None:
    """One line of its own, even where a progress bar stands."""
    tqdm.write(f"error: {text}", file=sys.stderr)


def _drop_output() -> None:
    """Send what is still to be written on standard output nowhere, so that leaving does not fail over it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
