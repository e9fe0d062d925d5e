"""Samples that are there under two names are told, however they are linked, and none is compared with itself."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets.miniatures import write_mvtec

from pointad.data.layout import SampleFiles, correspondence_name, view_gt_name, view_name
from pointad.data.listing import write_metadata
from pointad.data.raw import check_apart, list_good_scans, list_raw_samples
from pointad.datasets.registry import DATASETS
from pointad.errors import InputError

MVTEC = "mvtec_pc_3d_rgb"
LINKS: list[Callable[[Path, Path], None]] = [os.link, os.symlink]


@pytest.mark.parametrize("link", LINKS)
def test_scans_of_one_class(
    link: Callable[[Path, Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_mvtec(tmp_path, "tire")
    write_mvtec(tmp_path, "spool")
    scans = tmp_path / "tire" / "test" / "good" / "xyz"
    assert not [line for line in caplog.messages if "several times" in line]
    shutil.rmtree(tmp_path / "spool" / "test" / "good" / "xyz")
    shutil.copytree(scans, tmp_path / "spool" / "test" / "good" / "xyz", copy_function=os.link)  # of another class
    list_raw_samples(MVTEC, tmp_path)
    assert not [line for line in caplog.messages if "several times" in line]
    link(scans / "000.tiff", scans / "009.tiff")
    list_raw_samples(MVTEC, tmp_path)
    (line,) = (line for line in caplog.messages if "several times" in line)
    names = f"{scans / '000.tiff'} and {scans / '009.tiff'}"
    assert line == f"listed several times in one class, and counted each time: 1 scan, such as {names}"


@pytest.mark.parametrize("link", LINKS)
def test_good_scans_that_are_tested(link: Callable[[Path, Path], None], tmp_path: Path) -> None:
    write_mvtec(tmp_path, "tire")
    tested = tmp_path / "tire" / "test" / "good" / "xyz" / "000.tiff"
    link(tested, tmp_path / "tire" / "train" / "good" / "xyz" / "009.tiff")
    samples, good = list_raw_samples(MVTEC, tmp_path), list_good_scans(DATASETS[MVTEC], tmp_path)
    with pytest.raises(InputError, match=f"009.tiff: is the same file as the test sample {tested}"):
        check_apart(samples, good)


def test_renderings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = SampleFiles(tmp_path, "gear", "good", "000")
    for path in (
        files.views / view_name(0),
        files.views_gt / view_gt_name(0),
        files.correspondences / correspondence_name(0),
    ):
        path.parent.mkdir(parents=True)
        path.touch()
    write_metadata(tmp_path, MVTEC)
    assert not caplog.messages
    for folder in (files.views, files.views_gt, files.correspondences):
        folder.with_name("001").symlink_to(folder.name)
    assert write_metadata(tmp_path, MVTEC).samples == {"gear": {"good": 2}}
    (line,) = caplog.messages
    assert line.startswith("listed several times in one class, and counted each time: 1 scan, such as ")
