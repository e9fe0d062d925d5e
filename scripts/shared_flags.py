"""Prints which of train.py's flags test.py takes too: python scripts/shared_flags.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("shared-flags")
