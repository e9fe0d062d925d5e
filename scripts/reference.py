"""Makes a reference of good scans: python scripts/reference.py --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.entry import run_script

if __name__ == "__main__":
    run_script("reference")
