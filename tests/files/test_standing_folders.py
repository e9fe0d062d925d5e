"""Folders that are moved or removed while a run works in them, and replaced by those of another run."""

import shutil
from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.atomic import atomic_path, write_together
from pointad.files.locks import own_folder
from pointad.files.standing_folders import refuse_replaced, standing_folder

GONE = "was removed, moved or replaced while this run worked in it"


def write(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("results")


def test_the_lock_of_another_run_in_a_folder_of_the_same_name_stays(tmp_path: Path) -> None:
    first = own_folder(tmp_path / "out")
    first.__enter__()
    (tmp_path / "out").rename(tmp_path / "moved")
    with own_folder(tmp_path / "out"):
        first.__exit__(None, None, None)
        with pytest.raises(InputError, match="in use by another run"), own_folder(tmp_path / "out"):
            pass
    assert not list((tmp_path / "out").iterdir())


def test_nothing_comes_among_the_files_of_another_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with own_folder(out):
        write(out / "epoch_1.pth")
        out.rename(tmp_path / "moved")
        with pytest.raises(InputError, match=f"out: {GONE}"):
            write(out / "epoch_2.pth")
        assert not out.exists()
        out.mkdir()
        with pytest.raises(InputError, match=f"out: {GONE}"):
            write_together({out / "results.json": b"{}", out / "scores.csv": b""})
        assert not list(out.iterdir())
        write(tmp_path / "elsewhere")
    write(out / "results.json")
    assert {path.name for path in (tmp_path / "moved").iterdir()} == {".lock", "epoch_1.pth"}


def test_a_folder_that_is_replaced_between_writing_and_renaming(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with own_folder(out):
        (out / "run.json").write_text("old")
        with pytest.raises(InputError, match=GONE), atomic_path(out / "run.json") as temporary:
            temporary.write_text("of the first run")
            shutil.copytree(out, tmp_path / "another")
            out.rename(tmp_path / "moved")
            (tmp_path / "another").rename(out)
    assert (out / "run.json").read_text() == "old"


def test_names_of_folders_are_compared_as_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    with standing_folder(Path("out")):
        shutil.rmtree("out")
        refuse_replaced(Path("outer/file"))
        with pytest.raises(InputError, match=GONE):
            refuse_replaced(tmp_path / "out" / "file")
    refuse_replaced(Path("out/file"))
