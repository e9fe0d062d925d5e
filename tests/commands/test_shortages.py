"""Too little memory and too few processes end in one true line, whichever library reports them."""

import argparse
import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from pointad.commands import program
from pointad.commands.unfit_python import unfit_python_told
from pointad.errors import InputError

MEMORY, PROCESSES = "error: memory: not enough", "error: processes: no more of them"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), MEMORY),
        (cv2.error("OpenCV alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"), MEMORY),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), MEMORY),
        (
            ImportError("/lib/libgomp: cannot allocate memory in static TLS block"),
            "error: /lib/libgomp: was loaded too late for its variables of threads; set LD_PRELOAD=/lib/libgomp",
        ),
        (RuntimeError("can't start new thread"), PROCESSES),
        (RuntimeError("cannot join thread before it is started"), PROCESSES),  # of a pool without its thread
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), MEMORY),  # of a fork: not of a disk
        (BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)), PROCESSES),  # of a fork
        (RuntimeError("pthread_create has failed: Resource temporarily unavailable"), PROCESSES),
        (RuntimeError("pthread_create has failed: Operation not permitted"), PROCESSES),  # old Docker, new C library
        (
            RuntimeError("DataLoader worker (pid 5) is killed by signal: Killed. "),
            "error: loading: a loader process died",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/var/tmp']"),
            "error: temporary folder: none can be written to; set TMPDIR",
        ),
        (
            OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
            "error: a file: Too many open files; raise the limit of open files (ulimit -n)",
        ),
        (
            InputError("out/log.txt", f"cannot be written ({os.strerror(errno.EMFILE)})", "choose a writable folder"),
            "error: out/log.txt: cannot be written (Too many open files); raise the limit of open files (ulimit -n)",
        ),
        (UnicodeEncodeError(sys.getfilesystemencoding(), "d/\x80.ply", 2, 3, "?"), r"error: d/\x80.ply: has letters"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES), "out of memory/a.ply"), "error: out of memory/a.ply: Permis"),
    ],
)
def test_each_is_one_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(flags: argparse.Namespace) -> None:
        raise error

    with pytest.raises(SystemExit) as left:
        program.run(fail, argparse.ArgumentParser(), [])
    said = capsys.readouterr().err
    assert left.value.code == 2 and said.startswith(line) and said.count("\n") == 1


@pytest.mark.parametrize("kind", [ImportError, OSError])
def test_disks_that_no_library_runs_from_are_no_lack_of_memory(
    kind: type[Exception], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both, the loader says the same."""

    def load(flags: object = None) -> None:
        raise kind("See the manual.\n\nOriginal error was: /home/x y/a.so: failed to map segment from shared object")

    def run() -> None:
        program.run(load, argparse.ArgumentParser(), [])

    def start() -> None:
        with unfit_python_told():
            load()

    for flag in (os.ST_NOEXEC, 0):
        monkeypatch.setattr(os, "statvfs", lambda path, flag=flag: SimpleNamespace(f_flag=flag))
        for begin in (run, start) if kind is ImportError else (run,):
            with pytest.raises(SystemExit) as left:
                begin()
            line = "/home/x y/a.so: is on a disk that is mounted noexec" if flag else "memory: not enough"
            said = capsys.readouterr().err
            assert left.value.code == 2 and said.startswith(f"error: {line}") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("encoding", "name", "remedy"),
    [
        ("ascii", "d/é.ply", "set PYTHONUTF8=1"),
        ("iso8859-1", "d/検.ply", "set PYTHONUTF8=1"),
        ("utf-8", "d/\udcff.ply", "rename it, also where it is listed"),  # bytes that are no text, given to a library
        ("utf-8", "d/\ud800.ply", "rename it, also where it is listed"),
        ("ascii", "d/\ud800.ply", "rename it, also where it is listed"),  # UTF-8 lacks it, too
    ],
)
def test_only_another_encoding_that_helps_is_advised(
    encoding: str, name: str, remedy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)

    def fail(flags: argparse.Namespace) -> None:
        raise UnicodeEncodeError(encoding, name, 2, 3, "?")

    with pytest.raises(SystemExit) as left:
        program.run(fail, argparse.ArgumentParser(), [])
    said = capsys.readouterr().err
    assert left.value.code == 2 and said.count("\n") == 1 and said.endswith(f"; {remedy}\n")


@pytest.mark.parametrize(("is_full", "subject"), [(True, "standard output"), (False, "a file")])
def test_what_is_full_is_named(
    is_full: bool, subject: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of writing name no file, and most are about another one than standard output."""

    def fail(flags: argparse.Namespace) -> None:
        print("still to be sent")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Path("/dev/full" if is_full else os.devnull).open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as left:
            program.run(fail, argparse.ArgumentParser(), [])
    assert left.value.code == 2 and capsys.readouterr().err.startswith(f"error: {subject}: No space left on device;")


@pytest.mark.parametrize("length", [10, 10_000, 100_000])
def test_a_full_standard_output_is_named_whatever_is_printed(
    length: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is longer than the memory of the stream, nothing is left to be sent."""

    def tell(flags: argparse.Namespace) -> None:
        for _ in range(2):
            print("a" * length)

    with Path("/dev/full").open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        with pytest.raises(SystemExit) as left:
            program.run(tell, argparse.ArgumentParser(), [])
    said = "error: standard output: No space left on device;"
    assert left.value.code == 2 and capsys.readouterr().err.startswith(said)


def test_other_errors_stay_faults() -> None:
    def fail(flags: argparse.Namespace) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError):
        program.run(fail, argparse.ArgumentParser(), [])
