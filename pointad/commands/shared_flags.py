"""Check flags of train.py or test.py, and print them one word per line.

    python scripts/shared_flags.py -- --views 3 --learning_rate 0.01

Names are written out, and values follow as words of their own. The shell scripts use this to check flags before
anything runs, to compare them with those of earlier runs, and to pass the flags of a training on to its test.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

from pointad.commands import test, train
from pointad.commands.parsing import parse
from pointad.commands.program import HelpFormatter
from pointad.commands.settings import DEMO_WEIGHTS, REAL_WEIGHTS
from pointad.errors import InputError
from pointad.files.existing import require_file
from pointad.files.presence import is_file, is_folder
from pointad.model.weight_locations import NO_WEIGHTS, place_of

# What the shell scripts that train decide themselves, by the variable that says it.
_VARIABLES = {"save_path": "SAVE", "train_class": "CLASSES", "dataset": "DATASET", "data_path": "DATA"}
_PARSERS = {"train": train.build_parser, "test": test.build_parser}
# The same flag, yet about something else: samples a step in training, samples encoded together in a test.
_OF_TRAINING = frozenset({"batch_size"})


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--program", choices=tuple(_PARSERS), default="train", help="whose flags these are")
    parser.add_argument(
        "--keep",
        choices=("shared", "all", "both"),
        default="shared",
        help="of the flags of train.py, shared: print those that test.py accepts too; all: print every flag; both: "
        "print every flag, but refuse those that test.py does not accept",
    )
    parser.add_argument(
        "--variables",
        type=_pair,
        nargs="+",
        default=[],
        metavar="FLAG=VARIABLE",
        help="further flags that the calling script sets itself, with the variable to set instead",
    )
    parser.add_argument("flags", nargs="*", help="after --: the flags to check")
    return parser


def _pair(text: str) -> tuple[str, str]:
    flag, sign, variable = text.partition("=")
    if not (flag and sign and variable):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form FLAG=VARIABLE, such as seed=SEEDS")
    return flag, variable


def main(arguments: argparse.Namespace) -> None:
    """Print the flags."""
    further = dict(arguments.variables)
    if arguments.program == "test":
        kept = given_flags(arguments.flags, further, "test")
    else:
        given = given_flags(arguments.flags, {**_VARIABLES, **further}, "train")
        if arguments.keep == "both":
            parse(_PARSERS["test"](), arguments.flags, partial(_refuse, "test"))
        kept = shared(given) if arguments.keep == "shared" else given
    if "clip_weights" in kept:
        _require_weights(*kept["clip_weights"])
    for name, values in kept.items():
        print(*as_words(name, values), sep="\n")


def given_flags(words: list[str], variables: Mapping[str, str], program: str) -> dict[str, list[str]]:
    """The flags that are given, by name, each with its words as they stand.

    Args:
        words: flags as for the program.
        variables: flags that the shell scripts set themselves, with the variable that decides them.
        program: ``train`` or ``test``.

    Raises:
        InputError: the program would not take them; or one of them is decided by a variable of the shell scripts,
            asks for help, or is not one line.
    """
    for word in words:
        if word.splitlines() != [word]:
            raise InputError(repr(word), "is empty or has a line break", "give flags and values of one line each")
    try:
        # Values too are checked before anything runs.
        parse(_PARSERS[program](), words, partial(_refuse, program))
    except SystemExit:
        raise InputError("--help", "is answered by train.py and test.py", "see the top of this script") from None
    parser = _PARSERS[program]()
    for action in parser._actions:
        action.type, action.default = None, argparse.SUPPRESS
    given = vars(parser.parse_args(words))
    for name in given:
        if name in variables:
            raise InputError(f"--{name}", "is set by this script", f"set {variables[name]} instead")
    return {
        name: [] if value is True else [value] if isinstance(value, str) else value for name, value in given.items()
    }


def _require_weights(named: str) -> None:
    """Tell missing weights before anything runs.

    Raises:
        InputError: this is neither a file or folder, nor a name of weights.
    """
    place = place_of(Path(named))
    if named in (DEMO_WEIGHTS, REAL_WEIGHTS) or is_folder(place) or is_file(place):
        return
    from pointad.model.backbone import is_name  # imports PyTorch, which takes seconds

    if not is_name(named):
        require_file(place, *NO_WEIGHTS)


def _refuse(program: str, message: str) -> NoReturn:
    raise InputError(f"flags of {program}.py", message, f"see python {program}.py --help")


def shared(given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Those flags that mean the same to test.py."""
    known = {action.dest for action in test.build_parser()._actions} - _OF_TRAINING
    return {name: values for name, values in given.items() if name in known}


def as_words(name: str, values: list[str]) -> list[str]:
    """A flag as a command line has it; a value that looks like a flag stays tied to its own."""
    if len(values) == 1 and values[0].startswith("-"):
        return [f"--{name}={values[0]}"]
    return [f"--{name}", *values]
