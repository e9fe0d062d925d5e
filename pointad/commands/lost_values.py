"""Refuses arguments without content: an unset variable of a shell would name the folder that one stands in."""

import argparse
from collections.abc import Sequence

END_OF_FLAGS = "--"


def refuse_lost_values(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Exit with argparse's error line if an argument is empty, or a flag is given as ``--flag=`` or ``--flag=--``.

    Python before 3.13 takes the last for a list without an entry, whatever the type of the flag.
    """
    flags_ended = False
    for number, argument in enumerate(arguments):
        before = f" after {arguments[number - 1]}" if number else ""
        if not argument.strip():
            parser.error(f"an argument{before} is empty; omit it, or set the variable that it comes from")
        name, sign, value = argument.partition("=")
        if name.startswith("--") and sign and value.strip() in ("", END_OF_FLAGS) and not flags_ended:
            parser.error(f"argument {name}: expected a value after =; omit it, or set the variable that it comes from")
        flags_ended = flags_ended or argument == END_OF_FLAGS
