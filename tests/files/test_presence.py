"""A file counts as missing where nothing is, or nobody may look; not where a disk fails to tell."""

import errno
import os
from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.presence import is_file, is_folder, what_is_in_reach


def failing(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert is_file(file)
    assert not is_folder(file)
    assert is_folder(tmp_path)
    assert not is_file(tmp_path)


@pytest.mark.parametrize("name", ["missing", "file/below", "x" * 300, "\0", "circle"])
def test_what_is_not_there_is_missing(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert not is_file(tmp_path / name)
    assert not is_folder(tmp_path / name)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_what_may_not_be_looked_at_is_missing(number: int) -> None:
    with what_is_in_reach("data"):
        raise failing(number)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_disks_that_fail_are_told(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stat(path: Path) -> os.stat_result:
        raise failing(number)

    monkeypatch.setattr(Path, "stat", stat)
    for is_there in (is_file, is_folder):
        with pytest.raises(InputError, match=rf"data: cannot be read \({os.strerror(number)}\); check the disk"):
            is_there(tmp_path / "data")
