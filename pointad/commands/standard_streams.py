"""The three standard streams at the start of a program: all of them lead somewhere, and help that is lost is told.

Like the console command itself, this is read by Pythons as old as 3.7.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import Any, NoReturn

_LAST = 2  # the descriptor of standard error
_EXIT_ERROR = 2
_EXIT_UNREAD = 141  # as shells report SIGPIPE


def open_closed_descriptors() -> None:
    """Have standard streams that are closed lead nowhere, in this process and in those that it starts.

    A file that a program opens would get their numbers, and what libraries in C and other processes say on standard
    error would be written into it.
    """
    while True:
        try:
            descriptor = os.open(os.devnull, os.O_RDWR)
        except OSError:  # no such device, or no descriptor left
            return
        if descriptor > _LAST:
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, True)


def tell_lost_help(parser: argparse.ArgumentParser) -> None:
    """Have errors of writing raised when a parser prints its help or version, which argparse drops."""

    def print_message(message: str, file: Any = None) -> None:
        stream = file or sys.stderr
        if message and stream is not None:
            try:
                stream.write(message)
                stream.flush()
            except OSError as error:
                error.filename = "standard output" if stream is sys.stdout else "standard error"
                raise

    parser._print_message = print_message  # type: ignore[method-assign]


def leave_lost_help(error: OSError) -> NoReturn:
    """Exit as programs do whose standard output takes nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still to be written when Python leaves
    if isinstance(error, BrokenPipeError):
        sys.exit(_EXIT_UNREAD)
    with contextlib.suppress(OSError):
        sys.stderr.write(f"error: {error.filename}: {error.strerror}; check its permissions and the free disk space\n")
        sys.stderr.flush()
    sys.exit(_EXIT_ERROR)
