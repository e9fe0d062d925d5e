"""A page to drop scans on: python scripts/serve.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.program import run
from pointad.commands.serve import build_parser, main

if __name__ == "__main__":
    run(main, build_parser())
