"""Folders of defects of which nothing is listed are told, whatever lies in their place."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets.miniatures import MINIATURES, write_mvtec

from pointad.data.raw import list_raw_samples

Change = Callable[[Path], object]

PLACES = {
    "mvtec_pc_3d_rgb": "tire/test/hole",
    "adam_pc_3d_rgb": "gripper/test/Cuts",
    "realiad_pc_3d_rgb": "audio_jack/test/scratch",
    "minishift_pc_3d": "nut/test/pit",
    "mulsen_pc_3d": "light/Pointcloud/test/good",
}


def scans_beside_their_folder(path: Path) -> None:
    path.mkdir()
    (path / "000.tiff").touch()
    (path / "readme.txt").touch()


CHANGES: list[tuple[Change, str]] = [
    (os.mkfifo, "is a named pipe (FIFO), not a folder"),
    (lambda path: path.symlink_to("nowhere"), "is a link that leads nowhere"),
    (lambda path: path.symlink_to("/dev/null"), "is a character device, not a folder"),
    (Path.mkdir, ""),
    (scans_beside_their_folder, ""),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
@pytest.mark.parametrize("name", PLACES)
def test_each_is_named(name: str, change: Change, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    {**MINIATURES, "mvtec_pc_3d_rgb": write_mvtec}[name](tmp_path)
    place = tmp_path / PLACES[name]
    shutil.rmtree(place)
    change(place)
    kept = [sample for sample in list_raw_samples(name, tmp_path) if place in sample.scan_path.parents]
    lines = [line for line in caplog.messages if line.startswith(f"{place}: ") and told in line]
    assert len(lines) == (not kept), caplog.messages
