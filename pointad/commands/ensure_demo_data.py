"""Makes the demo data ready when they are not: generated, rendered and listed below data/demo."""

import logging
import subprocess
import sys
from pathlib import Path

from pointad.commands.arguments import DEMO_DATA, ROOT
from pointad.errors import PointADError

logger = logging.getLogger(__name__)


def ensure_demo_data() -> Path:
    """Return the folder of the rendered demo data, made first if it is not complete.

    Raises:
        PointADError: generating or rendering failed; the program that failed has said why.
    """
    raw, rendered = DEMO_DATA / "raw", DEMO_DATA / "rendered"
    if not (rendered / "all_meta.json").is_file():
        logger.info("making the demo data in %s", DEMO_DATA)
        _call("make_demo_data.py", "--output", raw)
        _call("render_dataset.py", "--dataset", "mvtec_pc_3d_rgb", "--data_path", raw, "--save_path", rendered)
    return rendered


def _call(script: str, *arguments: str | Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    if subprocess.run(command, check=False).returncode:
        raise PointADError(f"the demo data could not be made: {' '.join(command)} failed")
