"""Generates, renders and lists the demo data below data/demo on first use."""

import logging
import subprocess
import sys
from pathlib import Path

from pointad.commands.places import SOURCE, demo_data_folder
from pointad.errors import PointADError

# As "-m" does, but nothing is imported from the working folder.
_START = (
    "import sys; sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "import runpy; runpy.run_module('pointad.commands.entry', run_name='__main__', alter_sys=True)"
)

logger = logging.getLogger(__name__)


def ensure_demo_data() -> Path:
    """Return the folder of the rendered demo data, made first if it is not complete.

    Raises:
        PointADError: generating or rendering failed; the program that failed has said why.
    """
    raw, rendered = demo_data_folder() / "raw", demo_data_folder() / "rendered"
    if not (rendered / "all_meta.json").is_file():
        logger.info("making the demo data in %s", demo_data_folder())
        _call("demo-data", "--output", raw)
        _call("render", "--dataset", "mvtec_pc_3d_rgb", "--data_path", raw, "--save_path", rendered)
    return rendered


def _call(command: str, *arguments: str | Path) -> None:
    """Run one of this library's commands in a process of its own, whose workers start without PyTorch's threads."""
    line = [command, *map(str, arguments)]
    if subprocess.run([sys.executable, "-c", _START, str(SOURCE), *line], check=False).returncode:
        raise PointADError(f"the demo data could not be made: {' '.join(line)} failed")
