"""Scores scans of your own: python scripts/predict.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.predict import build_parser, main
from pointad.commands.program import run

if __name__ == "__main__":
    run(main, build_parser())
