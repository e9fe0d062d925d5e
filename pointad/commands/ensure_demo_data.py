"""Generates, renders and lists the demo data below data/demo on first use."""

import contextlib
import logging
import subprocess
import sys
import time
from pathlib import Path

from pointad.commands.places import SOURCE, demo_data_folder
from pointad.data.metadata import metadata_path, read_metadata
from pointad.data.raw import list_raw_samples
from pointad.errors import PointADError
from pointad.files.presence import is_file, is_folder

# As "-m" does, but nothing is imported from the working folder.
_START = (
    "import sys; sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "import runpy; runpy.run_module('pointad.commands.entry', run_name='__main__', alter_sys=True)"
)

_DATASET = "mvtec_pc_3d_rgb"
_WAITING_SECONDS = 120.0  # for the last scan of each process of another run
_ENDING_SECONDS = 1.0  # of a program that was interrupted as well

logger = logging.getLogger(__name__)


def ensure_demo_data() -> Path:
    """Return the folder of the rendered demo data, made first if it is not complete.

    Raises:
        PointADError: generating or rendering failed; the program that failed has said why.
    """
    raw, rendered = demo_data_folder() / "raw", demo_data_folder() / "rendered"
    if not all_rendered(_DATASET, raw, rendered):
        logger.info("making the demo data in %s", demo_data_folder())
        _call("demo-data", "--output", raw)
        render_all(_DATASET, raw, rendered)
    return rendered


def all_rendered(dataset: str, raw: Path, rendered: Path) -> bool:
    """Whether every raw scan is listed among the rendered ones; where no raw scans are kept, whether a list is there.

    Some are not if rendering them failed, as on a full disk, or another run is still at work.

    Raises:
        InputError: the raw scans, or the list, cannot be read.
    """
    if not is_file(metadata_path(rendered)):
        return False
    if not is_folder(raw):
        return True
    listed = {(record.class_name, record.species, record.identifier) for record in read_metadata(rendered)}
    return all((one.class_name, one.species, one.identifier) in listed for one in list_raw_samples(dataset, raw))


def render_all(dataset: str, raw: Path, rendered: Path) -> None:
    """Render raw scans and list them; those that another run is rendering are waited for.

    Raises:
        PointADError: rendering failed, as the program that failed has said, or the other run takes too long.
    """
    _call("render", "--dataset", dataset, "--data_path", raw, "--save_path", rendered)
    deadline = time.monotonic() + _WAITING_SECONDS
    while not all_rendered(dataset, raw, rendered):
        if time.monotonic() > deadline:
            raise PointADError(f"{rendered}: another run is still rendering some scans; run again when it has ended")
        time.sleep(0.2)


def _call(command: str, *arguments: str | Path) -> None:
    """Run one of this library's commands in a process of its own, whose workers start without PyTorch's threads."""
    line = [command, *map(str, arguments)]
    with subprocess.Popen([sys.executable, "-c", _START, str(SOURCE), *line]) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches it too. Killed, it could not clean up, and Python would tell what it has left.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_SECONDS)
            process.terminate()
            process.wait()
            raise
    if status:
        raise PointADError(f"the demo data could not be made: {' '.join(line)} failed")
