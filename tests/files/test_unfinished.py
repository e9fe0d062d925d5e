"""What killed writers leave is removed by the next one, and nothing that is still being written."""

import errno
import fcntl
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.unfinished import remove_if_abandoned


def leave_behind(target: Path) -> Path:
    """Be killed while the target is written, in a fork."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            os.write(writing, os.fsencode(temporary))
            os._exit(9)
    os.waitpid(process, 0)
    left = Path(os.fsdecode(os.read(reading, 5000)))
    os.close(reading)
    os.close(writing)
    assert left.read_text() == "half"
    return left


@pytest.mark.parametrize("name", ["a.json", "a", ".hidden.png", "n" * 240 + ".npz"])
def test_the_next_writer_tidies(name: str, tmp_path: Path) -> None:
    target = tmp_path / "folder" / name
    leave_behind(target)
    leave_behind(target.with_name("other.json"))
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert [path.name.split(".")[1] for path in target.parent.glob("*.partial*")] == ["other"]


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    with atomic_path(target) as first:
        first.write_text("first")
        with atomic_path(target) as second:
            second.write_text("second")
        assert first.read_text() == "first" and not remove_if_abandoned(first)
    assert target.read_text() == "first" and list(tmp_path.iterdir()) == [target]


def test_without_locks_nothing_is_taken_for_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    target = tmp_path / "a.json"
    left = leave_behind(target)
    monkeypatch.setattr("fcntl.flock", no_locks)
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert left.exists() and target.read_text() == "whole"


def test_files_of_smb_shares_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, what is locked can only be written through the descriptor that locked it (flock(2), "CIFS details")."""
    locked: set[int] = set()
    lock, open_path = fcntl.flock, Path.open

    class File(io.FileIO):
        def write(self, content: Any) -> int:
            if os.fstat(self.fileno()).st_ino in locked:
                raise PermissionError(errno.EACCES, "Permission denied")
            return super().write(content)

    def lock_on_share(descriptor: int, how: int) -> None:
        lock(descriptor, how)
        inode = os.fstat(descriptor).st_ino
        locked.discard(inode) if how & fcntl.LOCK_UN else locked.add(inode)

    def open_on_share(path: Path, mode: str = "r", buffering: int = -1) -> Any:
        return File(path, mode.replace("b", "")) if buffering == 0 else open_path(path, mode, buffering)

    monkeypatch.setattr(fcntl, "flock", lock_on_share)
    monkeypatch.setattr(Path, "open", open_on_share)
    with atomic_path(tmp_path / "a.json") as temporary:
        with temporary.open("wb", buffering=0) as file:
            file.write(b"whole")
        with temporary.open("r+b") as again, pytest.raises(BlockingIOError):  # it is not taken for abandoned
            fcntl.lockf(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert (tmp_path / "a.json").read_bytes() == b"whole"


def fail(path: Path) -> None:
    raise OSError(28, "No space left on device")


def interrupt(path: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("ending", "error"), [(fail, InputError), (interrupt, KeyboardInterrupt)])
def test_nothing_stays_of_a_writer_that_fails(
    ending: Callable[[Path], None], error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error), atomic_path(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        ending(temporary)
    assert not list(tmp_path.iterdir())


def test_nothing_stays_of_a_writer_that_is_interrupted_while_it_creates_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.open

    def interrupted(path: Path, flags: int, mode: int = 0o777) -> int:
        os.close(create(path, flags, mode))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "a.json"):
        pytest.fail("the block was entered")
    assert not list(tmp_path.iterdir())
