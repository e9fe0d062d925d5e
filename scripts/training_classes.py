"""Prints the training classes of a data set: python scripts/training_classes.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.program import run
from pointad.commands.training_classes import build_parser, main

if __name__ == "__main__":
    run(main, build_parser())
