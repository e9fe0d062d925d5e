"""What the programs find in the folders that they are given: told once, and listed once, however many there are."""

import logging
from pathlib import Path

import numpy as np
import pytest
from sample_scans import closed_shape

from pointad.commands import inspection_run, predict, render_scans, scan_search
from pointad.commands.scan_pictures import check_pictures
from pointad.commands.scan_search import find_scans, output_folders
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.scans.files import read_scan

MANY = 5000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one scan, a link that leads nowhere, a format that is not read, and tables."""
    made = tmp_path / "scans"
    made.mkdir()
    np.save(made / "blob.npy", closed_shape(500))
    (made / "gone.ply").symlink_to(made / "nowhere.ply")
    for name in ("a.las", "1.csv", "2.csv", "3.csv"):
        (made / name).write_text("1 2 3")
    return made


def test_links_that_lead_nowhere_are_told_once(
    folder: Path, detector: PointAD, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(PointAD, "from_checkpoint", classmethod(lambda cls, *_, **__: detector))
    flags = [str(folder), "--output", str(folder.parent / "out"), "--threshold", "1"]
    assert predict.main(predict.build_parser().parse_args(flags)) == 0
    assert caplog.text.count("leads nowhere") == 1


def test_links_of_a_folder_without_scans_are_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "blob.npy").unlink()
    with pytest.raises(InputError, match=r"contains no scan but 1 \.las file, a format that is not read"):
        find_scans([folder])
    assert caplog.text.count("leads nowhere") == 1


def test_formats_that_are_not_read_are_told_by_every_program(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    flags = [str(folder), "--save_path", str(folder.parent / "pictures"), "--views", "x0"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 0
    assert "skipped 1 .las file, as this format is not read" in caplog.text


def test_tables_that_are_named_are_not_skipped(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert len(find_scans([folder, folder / "1.csv", folder.parent / "scans" / ".." / "scans" / "2.csv"])) == 3
        assert ".csv" not in caplog.text
        find_scans([folder, folder / "1.csv"])
    assert "skipped 2 .csv files" in caplog.text


def test_scans_are_listed_once(
    folder: Path, detector: PointAD, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def load_while_scans_come(*_: object) -> PointAD:
        np.save(folder / "late.npy", closed_shape(400))
        np.save(good / "late.npy", closed_shape(300))
        return detector

    good = tmp_path / "good"
    good.mkdir()
    np.save(good / "fine.npy", closed_shape(600))
    monkeypatch.setattr(inspection_run, "load_detector", load_while_scans_come)
    output = tmp_path / "out"
    flags = [str(folder), "--output", str(output), "--calibrate", str(good), "--false_alarm_rate", "0.5"]
    assert predict.main(predict.build_parser().parse_args(flags)) in (0, 1)
    assert [path.name for path in output.iterdir()] == ["blob"]
    assert '"threshold"' in (output / "blob" / "prediction.json").read_text()


def test_thousands_of_scans_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    scans = [Path(f"{number}/000.ply") for number in range(MANY)] + [Path("a/000_7.ply"), Path("b/000.npy")]
    folders = output_folders(scans, tmp_path)
    assert len(set(folders)) == len(scans)
    assert [path.name for path in folders[:3]] == ["000", "000_2", "000_3"]
    assert [path.name for path in folders[-3:]] == ["000_5000", "000_7_2", "000_5001"]


def test_one_picture_for_two_scans_among_thousands_is_refused(tmp_path: Path) -> None:
    scans = [Path(f"{number}.tiff") for number in range(MANY)]
    check_pictures(scans, tmp_path)
    with pytest.raises(InputError, match="one image 17 for several scans"):
        check_pictures([*scans, Path("other/17.tiff")], tmp_path)


@pytest.mark.parametrize("name", ["scan", ".ply"])
def test_files_without_an_extension_are_told_so(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"ply")
    with pytest.raises(InputError, match="has no extension, which tells the format; use one of"):
        read_scan(tmp_path / name)


def test_what_is_named_is_not_looked_at_for_each_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / str(number) for number in range(200)]
    for folder in folders:
        folder.mkdir()
        (folder / "a.ply").touch()
    looked_at = []
    monkeypatch.setattr(scan_search, "_absolute", lambda path: looked_at.append(path) or path)
    assert len(find_scans(folders)) == len(folders)
    assert len(looked_at) < 5 * len(folders)
