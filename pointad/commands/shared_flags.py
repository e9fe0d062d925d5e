"""Check flags of train.py, and print those that test.py accepts too, one word per line.

    python scripts/shared_flags.py -- --views 3 --epoch 5 --learning_rate 0.01

The first line is the number of epochs if the flags give it, else empty. The shell scripts use this to pass the flags
of a training on to its test.
"""

import argparse

from pointad.commands import test, train
from pointad.commands.program import HelpFormatter
from pointad.errors import InputError

# What the shell scripts themselves decide, by the variable that says it.
_VARIABLES = {"save_path": "SAVE", "train_class": "CLASSES", "dataset": "DATASET", "data_path": "DATA"}
# The same flag, yet about something else: samples a step in training, samples encoded together in a test.
_OF_TRAINING = frozenset({"batch_size"})


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("flags", nargs="*", help="after --: flags as for train.py")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print the epochs, then the flags."""
    given = given_flags(arguments.flags)
    print(*given.get("epoch", []))
    for name, values in shared(given).items():
        print(f"--{name}", *values, sep="\n")


def given_flags(words: list[str]) -> dict[str, list[str]]:
    """The flags that are given, by name, each with its words as they stand.

    Raises:
        InputError: one of them is decided by a variable of the shell scripts.
        SystemExit: train.py would not take them; argparse has said why.
    """
    train.build_parser().parse_args(words)  # values too are checked before anything runs
    parser = train.build_parser()
    for action in parser._actions:
        action.type, action.default = None, argparse.SUPPRESS
    given = vars(parser.parse_args(words))
    for name in given:
        if name in _VARIABLES:
            raise InputError(f"--{name}", "is set by this script", f"set {_VARIABLES[name]} instead")
    return {
        name: [] if value is True else [value] if isinstance(value, str) else value for name, value in given.items()
    }


def shared(given: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those flags that mean the same to test.py."""
    known = {action.dest for action in test.build_parser()._actions} - _OF_TRAINING
    return {name: values for name, values in given.items() if name in known}
