"""Print the classes that a data set's one-vs-rest protocol learns from in turn, on one line.

    python scripts/training_classes.py mvtec_pc_3d_rgb

The shell scripts use this; a data set without such classes needs CLASSES.
"""

import argparse

from pointad.commands.program import HelpFormatter
from pointad.datasets.registry import DATASETS, specification
from pointad.errors import InputError


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("dataset", metavar="DATASET", help=f"one of {', '.join(DATASETS)}")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print the classes."""
    dataset = specification(arguments.dataset)
    if not dataset.training_classes:
        raise InputError(dataset.name, "has no default training classes", 'set them, such as CLASSES="bolt nut"')
    print(" ".join(dataset.training_classes))
