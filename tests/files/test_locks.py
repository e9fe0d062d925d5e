"""File locks: one holder at a time, none that outlives its process, and a line that says who has it."""

import json
import logging
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from commands.programs import ROOT

from pointad.errors import InputError
from pointad.files import locks
from pointad.files.locks import own_folder, try_lock, wait_for_lock

HOLD = """
import os, sys
from pathlib import Path
from pointad.files.locks import own_folder
with own_folder(Path(sys.argv[1])):
    child = os.fork() if sys.argv[2] == "fork" else 1
    if child:
        print(child, flush=True)
    sys.stdin.read()
    os._exit(0)
"""


def holder(folder: Path, kind: str) -> "subprocess.Popen[str]":
    """Another process that owns a folder; with kind "fork", a worker of it that outlives it has the lock as well.

    They end when the standard input of the process is closed.
    """
    command = [sys.executable, "-c", HOLD, str(folder), kind]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline().strip()
    return process


@pytest.mark.parametrize("lock", [own_folder, wait_for_lock, try_lock])
def test_a_planted_link_is_not_followed(lock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    treasure = tmp_path / "treasure"
    treasure.write_text("of another folder")
    (tmp_path / "out").mkdir()
    link = tmp_path / "out" / ".lock"
    for target in (treasure, tmp_path / "created"):
        link.symlink_to(target)
        with pytest.raises(InputError, match=r"\.lock: is a symbolic link"):
            lock(tmp_path / "out" if lock is own_folder else link).__enter__()
        link.unlink()
    assert treasure.read_text() == "of another folder" and not (tmp_path / "created").exists()


@pytest.mark.parametrize("lock", [own_folder, wait_for_lock, try_lock])
def test_a_file_of_somebody_else_is_no_lock(lock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / ".lock"
    place = tmp_path / "out" if lock is own_folder else path
    treasure = tmp_path / "treasure"
    for content, problem in (
        ("", "is a hard link"),
        ("{}", "is a hard link"),
        ("mine", "is not the lock file of a run"),
        ('{"pid": 7}', "is not the lock file of a run"),
    ):
        treasure.write_text(content)
        if problem == "is a hard link":
            path.hardlink_to(treasure)
        else:
            path.write_text(content)
        with pytest.raises(InputError, match=rf"\.lock: {problem}"):
            lock(place).__enter__()
        assert treasure.read_text() == content == path.read_text()
        path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"\.lock: is a pipe"):
        lock(place).__enter__()


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    process = holder(tmp_path / "out", "alone")
    try:
        with pytest.raises(InputError, match=f"in use by another run .*process {process.pid}.*another folder"):
            own_folder(tmp_path / "out").__enter__()
    finally:
        process.kill()
        process.wait()
    with own_folder(tmp_path / "out"):
        assert json.loads((tmp_path / "out/.lock").read_text())["process"] == os.getpid()
    assert not list((tmp_path / "out").iterdir())


def killed_before_its_worker(folder: Path) -> "subprocess.Popen[str]":
    """The owner of a folder, which is dead; its worker has the lock until the standard input is closed."""
    process = holder(folder, "fork")
    process.kill()
    process.wait()
    return process


def test_workers_that_do_not_end_are_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "ORPHAN_SECONDS", 0.3)
    process = killed_before_its_worker(tmp_path)
    with pytest.raises(InputError, match="in use by another run"):
        own_folder(tmp_path).__enter__()
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0\0", b'{"process": "x"}', b'{"process": -1}', b'{"process": ' + b"[" * 9000]
)
def test_leftovers_of_any_owner_stop_nobody(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".lock").write_bytes(content)
    with own_folder(tmp_path), try_lock(tmp_path / ".lock") as second:
        assert not second
    assert not list(tmp_path.iterdir())


def test_a_full_disk_does_not_matter_to_a_lock(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with own_folder(tmp_path), wait_for_lock(tmp_path / "short.lock"):
            assert [path.stat().st_size for path in tmp_path.iterdir()] == [0, 0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_file_systems_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(locks.fcntl, "flock", fail)
    process = holder(tmp_path, "alone")
    try:
        with pytest.raises(InputError, match="in use by another run"):
            own_folder(tmp_path).__enter__()
    finally:
        process.kill()
        process.wait()
    with own_folder(tmp_path):
        left = (tmp_path / ".lock").read_text()
    (tmp_path / ".lock").write_text(left)  # of a container that was killed, and in whose next one numbers are the same
    with own_folder(tmp_path):
        pass


@pytest.mark.parametrize("readable", [True, False])
def test_a_lock_that_may_not_be_taken(readable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So SMB shares report a lock held elsewhere, whose file cannot be read; AppArmor may forbid all locks."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    def opened(path: Path, flags: int) -> int:
        return os.open(path, (flags if readable else os.O_WRONLY) | os.O_CREAT)

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    monkeypatch.setattr(locks, "open_in_place", opened)
    with try_lock(tmp_path / "lock") as is_ours:
        assert is_ours is readable


def test_short_work_waits_for_its_turn(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with wait_for_lock(tmp_path / "lock"):
            order.append("second")

    with wait_for_lock(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and not list(tmp_path.iterdir())


def test_whom_a_long_wait_is_for_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "_SILENT_SECONDS", 0.0)
    said = threading.Event()
    monkeypatch.setattr(locks.time, "sleep", lambda _: said.wait(0.01))

    def second() -> None:
        with wait_for_lock(tmp_path / "lock"):
            pass

    with caplog.at_level(logging.WARNING), wait_for_lock(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        deadline = time.monotonic() + 20
        while not caplog.messages and time.monotonic() < deadline:
            said.wait(0.01)
        said.wait(0.1)
    thread.join()
    (line,) = caplog.messages
    assert line.startswith(f"{tmp_path}: in use by another run (") and f"process {os.getpid()} on" in line


def test_what_a_killed_owner_leaves_is_taken_over_when_its_workers_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "_SILENT_SECONDS", 0.0)
    monkeypatch.setattr(locks, "ORPHAN_SECONDS", 600.0)
    process = killed_before_its_worker(tmp_path)

    def end_the_worker(_: float) -> None:  # instead of waiting once more
        assert process.stdin is not None
        process.stdin.close()

    monkeypatch.setattr(locks.time, "sleep", end_the_worker)
    with own_folder(tmp_path):
        pass
    assert f"in use by what is left of an ended run (-c, process {process.pid} on" in caplog.text
