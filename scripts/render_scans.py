"""Renders scans of your own: python scripts/render_scans.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("render-scans")
