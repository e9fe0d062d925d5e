"""Files below a folder: none is passed over in silence, and links in a circle end."""

import os
import subprocess
from pathlib import Path

import pytest

from pointad.commands.scan_search import find_scans
from pointad.errors import InputError
from pointad.files.search import files_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in/a/1.npy", "in/b/2.npy", "elsewhere/3.npy", "elsewhere/deep/4.npy", "in/.Trash/5.npy", "in/.6.npy"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "in"


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_links_to_folders_are_followed(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "elsewhere")
    assert names(files_below(folder), folder) == ["a/1.npy", "b/2.npy", "link/3.npy", "link/deep/4.npy"]
    assert names(find_scans([folder]), folder) == names(files_below(folder), folder)


def test_links_in_a_circle_end_and_folders_keep_their_own_paths(folder: Path) -> None:
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "0_beside").symlink_to(folder / "b")
    (folder.parent / "elsewhere" / "back").symlink_to(folder / "a")
    (folder / "0_link").symlink_to(folder.parent / "elsewhere")
    (folder / "1_link").symlink_to(folder.parent / "elsewhere" / "deep")
    assert names(files_below(folder), folder) == ["0_link/3.npy", "0_link/deep/4.npy", "a/1.npy", "b/2.npy"]


def test_hidden_files_are_found_where_they_are_asked_for(folder: Path) -> None:
    assert names(files_below(folder, hidden=True), folder) == [".6.npy", ".Trash/5.npy", "a/1.npy", "b/2.npy"]


def test_a_folder_under_a_hidden_one_is_searched(folder: Path) -> None:
    assert names(files_below(folder / ".Trash"), folder) == [".Trash/5.npy"]


def test_a_folder_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def deny(path: str) -> object:  # root may read all
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(InputError, match=r"in/b: cannot be searched \(Permission denied\)"):
        files_below(folder)
    with pytest.raises(InputError, match=r"in/b: cannot be searched"):
        find_scans([folder])


def test_a_hidden_folder_that_may_not_be_read_stops_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def deny(path: Path) -> object:
        if path.name == ".Trash":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    assert names(files_below(folder), folder) == ["a/1.npy", "b/2.npy"]


def test_links_that_lead_nowhere_are_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "day2").symlink_to("/nowhere/day2")
    (folder / "circle").symlink_to("circle")
    assert names(files_below(folder), folder) == ["a/1.npy", "b/2.npy"]
    for name in ("day2", "circle"):
        assert f"{folder / name}: is a link that leads nowhere; skipped" in caplog.text


def test_folders_may_lie_deep_within_each_other(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    for _ in range(1300):
        os.mkdir("d", dir_fd=place)
        deeper = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(os.open("7.npy", os.O_CREAT, dir_fd=place))
    os.close(place)
    try:
        assert [path.name for path in files_below(folder)] == ["1.npy", "2.npy", "7.npy"]
    finally:
        subprocess.run(["rm", "-r", str(folder / "d")], check=True)  # pytest would remove it recursively
