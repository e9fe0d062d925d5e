"""Tests prompts on classes that they never saw: python test.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which PYTHONSAFEPATH keeps out

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("test")
