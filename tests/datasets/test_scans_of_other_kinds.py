"""Files beside scans that are none of the layout are told: good scans of another kind would be lost without a word."""

import shutil
from pathlib import Path

import pytest
from datasets.miniatures import MINIATURES, write_mvtec

from pointad.data.raw import list_raw_samples

SCANS = {
    "mvtec_pc_3d_rgb": "tire/test/good/xyz/000.tiff",
    "adam_pc_3d_rgb": "gripper/test/good/xyz/004_C.tiff",
    "realiad_pc_3d_rgb": "audio_jack/test/GOOD/xyz/S0001.tiff",
    "minishift_pc_3d": "nut/test/good/0.txt",
    "mulsen_pc_3d": "light/Pointcloud/test/good/0.stl",
    "shapenet_pc_3d": "pcd/vase9/test/vase9_positive3.pcd",
}


@pytest.mark.parametrize("name", SCANS)
def test_each_folder_of_them_is_named(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    {**MINIATURES, "mvtec_pc_3d_rgb": write_mvtec}[name](tmp_path)
    scan = tmp_path / SCANS[name]
    count = len(list_raw_samples(name, tmp_path))
    for hidden in (".DS_Store", f"._{scan.name}"):
        (scan.parent / hidden).touch()
    assert not caplog.messages
    shutil.copy(scan, scan.with_name("009.las"))
    shutil.copy(scan, scan.with_name(f"{scan.name}.gz"))
    assert len(list_raw_samples(name, tmp_path)) == count
    (line,) = caplog.messages
    kind = scan.suffix if scan.suffix != ".tiff" else ".tiff, *.tif"
    first = min("009.las", f"{scan.name}.gz")
    assert line == f"{scan.parent}: 2 files of other kinds than *{kind}, such as {first}, left out"
