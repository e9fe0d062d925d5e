"""Pictures and labels are matched to scans without looking at every file for every scan."""

import os
from pathlib import Path

import pytest

from pointad.data.raw import list_raw_samples
from pointad.datasets import archive, realiad


def test_pictures_of_scans_whose_names_begin_alike(tmp_path: Path) -> None:
    species = tmp_path / "lego" / "test" / "GOOD"
    scans = ("S1", "S1_2", "S10", "S2", "S3", "S4")
    pictures = ("S1_top.jpg", "S1_2_top.jpg", "S1_2_2.jpg", "S10.png", "S10_a.jpg", "S2/b.jpg", "S2/a.jpg", "S2_0.jpg")
    for name in (*(f"xyz/{scan}.tiff" for scan in scans), *(f"rgb/{name}" for name in (*pictures, "S3x.jpg"))):
        (species / name).parent.mkdir(parents=True, exist_ok=True)
        (species / name).touch()
    found = {one.identifier: one.rgb_path for one in list_raw_samples("realiad_pc_3d_rgb", tmp_path)}
    names = {scan: None if path is None else str(path.relative_to(species / "rgb")) for scan, path in found.items()}
    expected = {"S1": "S1_top.jpg", "S1_2": "S1_2_2.jpg", "S10": "S10.png", "S2": "S2/a.jpg", "S3": None, "S4": None}
    assert names == expected


def test_each_picture_is_compared_with_few_scans() -> None:
    count = 0

    class Counted(type(Path())):  # type: ignore[misc]
        @property
        def stem(self) -> str:
            nonlocal count
            count += 1
            return str(super().stem)

    scans = [Counted(f"xyz/S{number}.tiff") for number in range(300)]
    pictures = [Counted(f"rgb/S{number}_top.jpg") for number in range(300)]
    found = list(realiad._nearest_to(scans, pictures))
    assert [len(one) for one in found] == [1] * 300
    assert count < 10 * 300


def test_names_in_another_case_are_found_among_many(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}_Bulge.TXT").touch()
    assert archive.inner_file(tmp_path, "7_bulge.txt") == tmp_path / "7_Bulge.TXT"
    assert archive.inner_file(tmp_path, "77_bulge.txt") == tmp_path / "77_bulge.txt"


def test_a_folder_is_listed_once_for_files_that_many_samples_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(archive.os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    (tmp_path / "7_Bulge.TXT").touch()
    os.utime(tmp_path, (0, 0))
    for number in range(100):
        found = archive.inner_file(tmp_path, f"{number}_bulge.txt")
        assert found.name == ("7_Bulge.TXT" if number == 7 else f"{number}_bulge.txt")
    assert len(listed) == 1
    for number in range(8, 11):  # just after it has changed, dates do not tell how often it has
        (tmp_path / f"{number}_Bulge.TXT").touch()
        assert archive.inner_file(tmp_path, f"{number}_bulge.txt").name == f"{number}_Bulge.TXT"


def test_scans_whose_names_all_begin_like_one_are_not_compared_with_each_other() -> None:
    names = ["S", *(f"S_{number}" for number in range(20_000))]
    pictures = [Path(f"rgb/{name}_top.jpg") for name in names]
    found = list(realiad._nearest_to([Path(f"xyz/{name}.tiff") for name in names], pictures))
    assert found == [[picture] for picture in pictures]
