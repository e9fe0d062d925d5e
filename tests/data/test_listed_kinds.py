"""Kinds of defects of which no renderings are there are told when samples are listed, as after incomplete downloads."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pointad.data.layout import SampleFiles, correspondence_name, view_gt_name, view_name
from pointad.data.listing import write_metadata

MVTEC = "mvtec_pc_3d_rgb"


def pretend(root: Path, species: str, split: str = "test") -> Path:
    files = SampleFiles(root, "gear", species, "000", split)
    for path in (files.views / view_name(0), files.views_gt / view_gt_name(0)):
        path.parent.mkdir(parents=True)
        path.touch()
    files.correspondences.mkdir(parents=True)
    (files.correspondences / correspondence_name(0)).touch()
    return files.folder


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: shutil.rmtree(folder / "2d_rendering"), "holds no folder 2d_rendering"),
        (lambda folder: (shutil.rmtree(folder), folder.mkdir()), "holds no folder 2d_rendering"),
        (lambda folder: (shutil.rmtree(folder), os.mkfifo(folder)), "is a named pipe (FIFO), not a folder"),
    ],
)
def test_each_is_named(
    spoil: Callable[[Path], object], told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pretend(tmp_path, "good")
    pretend(tmp_path, "good", "train")
    (tmp_path / "gear" / "train" / "pit").mkdir()
    place = pretend(tmp_path, "pit")
    assert write_metadata(tmp_path, MVTEC).samples == {"gear": {"good": 1, "pit": 1}}
    before = [line for line in caplog.messages if line.startswith(f"{place}: ")]
    spoil(place)
    assert write_metadata(tmp_path, MVTEC).samples == {"gear": {"good": 1}}
    (line,) = (line for line in caplog.messages if line.startswith(f"{place}"))
    assert told in line and not before
