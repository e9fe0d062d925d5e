"""File locks: of several processes that want to do the same work, only the one that holds the lock does it.

These are kernel locks (`flock`): they end with the process that holds them, however it ends, so a killed run leaves
nothing behind that stops the next one. On file systems without such locks, the file's content names the owner instead.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pointad.errors import InputError, shown
from pointad.files.atomic import make_folder
from pointad.files.in_place import open_in_place
from pointad.files.standing_folders import witnessed
from pointad.files.unfinished import is_still_at

logger = logging.getLogger(__name__)

FOLDER_LOCK = ".lock"
ORPHAN_SECONDS = 15.0
"""How long worker processes of a killed run may hold its lock: PyTorch's check for their parent every 5 seconds."""
_POLL_SECONDS = 0.1
_SILENT_SECONDS = 3.0  # how long a lock is waited for without a word
_OWNER = b'{"process": '  # how the content of a lock begins
_LONGEST_OWNER = 10_000


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a lock while the block runs, or find that another process has it.

    Args:
        path: the lock file; it is created, and removed at the end of the block.

    Yields:
        Whether this process holds the lock; False if another one does, or did a moment ago.

    Raises:
        InputError: the file cannot be created.
    """
    with _opened(path) as file:
        if not _locked(file, path):
            yield False
            return
        _write_owner(file)
        try:
            yield True
        finally:
            _release(file, path)


@contextlib.contextmanager
def wait_for_lock(path: Path) -> Iterator[None]:
    """Wait for a lock and hold it while the block runs; for short work.

    Its owner may have been stopped: who is waited for is logged after some seconds.

    Args:
        path: the lock file; it is created, and removed at the end of the block.

    Raises:
        InputError: the file cannot be created.
    """
    waiting = _Waiting(path)
    while True:
        with try_lock(path) as is_ours:
            if is_ours:
                yield
                return
        waiting.go_on()


class _Waiting:
    """A wait for the owner of a lock, which is told of once when it takes long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = time.monotonic()
        self._is_told = False

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._begin

    def go_on(self) -> None:
        """Wait a moment more."""
        if not self._is_told and self.seconds > _SILENT_SECONDS:
            self._is_told = True
            owner: dict[str, Any] = {}
            with contextlib.suppress(OSError), self._path.open("rb") as file:
                owner = _read_owner(file)
            who = "what is left of an ended run" if _is_dead(owner) else "another run"
            logger.warning("%s: in use by %s (%s); waiting for it", self._path.parent, who, _described(owner))
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Keep other runs from writing into a folder while the block runs.

    Nothing is written into another folder that takes its place meanwhile, see `pointad.files.standing_folders`.
    A killed run owns nothing. Its worker processes may outlive it by seconds; they are waited for.

    Args:
        folder: created if it is missing; the lock is the file `.lock` in it, which is removed at the end.

    Raises:
        InputError: another run owns the folder, or it cannot be written to.
    """
    make_folder(folder)
    path = folder / FOLDER_LOCK
    waiting = _Waiting(path)
    while True:
        with _opened(path) as file:
            if _locked(file, path):
                _write_owner(file)
                try:
                    with witnessed(folder, path, file.fileno()):
                        yield
                finally:
                    _release(file, path)
                return
            owner = _read_owner(file)
            if not is_still_at(path, file.fileno()):  # its owner has just ended
                continue
        if not _is_dead(owner) or waiting.seconds > ORPHAN_SECONDS:
            problem = f"in use by another run ({_described(owner)})"
            raise InputError(folder, problem, "wait until it ends, or choose another folder")
        waiting.go_on()


def remove_abandoned_lock(folder: Path) -> None:
    """Remove the lock that a killed run has left in a folder, for one that finds all work done and will not own it."""
    path = folder / FOLDER_LOCK
    if os.path.lexists(path):
        with contextlib.suppress(InputError), try_lock(path):
            pass


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The lock file, created if it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(open_in_place(path, os.O_RDWR), "r+b", buffering=0)  # nothing is left to be written at the end
    except (OSError, ValueError) as error:
        problem = f"cannot be written ({getattr(error, 'strerror', None) or error})"
        raise InputError(path, problem, "choose a writable folder") from error
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # nothing of the lock is lost
            file.close()


def _locked(file: IO[bytes], path: Path) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system without locks; or an SMB share, where a lock held elsewhere hides content
        if error.errno == errno.EACCES and not _is_readable(file):
            return False
        owner = _read_owner(file)
        return owner.get("process") == os.getpid() or not _is_alive(owner)  # containers give numbers again
    # If another process has removed the file since it was opened, its lock is void.
    if not is_still_at(path, file.fileno()):
        return False
    if not _is_written_by_us(file):
        raise InputError(path, "is not the lock file of a run", "move it elsewhere, or choose another folder")
    return True


def _release(file: IO[bytes], path: Path) -> None:
    with contextlib.suppress(OSError):
        if is_still_at(path, file.fileno()):  # else the folder was moved, and this is the lock of another run
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)  # processes forked in the meantime hold the open file too


def _write_owner(file: IO[bytes]) -> None:
    owner = {"process": os.getpid(), "host": socket.gethostname(), "program": Path(sys.argv[0] or "python").name}
    try:
        file.seek(0)
        file.truncate(0)
        file.write(json.dumps(owner).encode())
    except OSError as error:  # a full disk: the lock is held all the same
        logger.debug("the owner of a folder could not be recorded: %s", error)


def _is_written_by_us(file: IO[bytes]) -> bool:
    """Whether a file may be emptied and removed: a lock, whole or cut short or blanked by a crash."""
    file.seek(0)
    content = file.read(_LONGEST_OWNER + 1).strip(b"\0")
    beginning = content[: len(_OWNER)]
    return len(content) <= _LONGEST_OWNER and beginning == _OWNER[: len(beginning)]


def _is_readable(file: IO[bytes]) -> bool:
    try:
        file.seek(0)
        file.read(1)
    except OSError:
        return False
    return True


def _read_owner(file: IO[bytes]) -> dict[str, Any]:
    try:
        file.seek(0)
        owner = json.loads(file.read(_LONGEST_OWNER))
    except (OSError, ValueError, RecursionError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _is_here(owner: dict[str, Any]) -> bool:
    number = owner.get("process")
    return owner.get("host") == socket.gethostname() and type(number) is int and 0 < number < 2**31


def _is_alive(owner: dict[str, Any]) -> bool:
    if not _is_here(owner):
        return False
    try:
        os.kill(owner["process"], 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True


def _is_dead(owner: dict[str, Any]) -> bool:
    return _is_here(owner) and not _is_alive(owner)


def _described(owner: dict[str, Any]) -> str:
    if not owner:
        return "unknown process"
    return shown(f"{owner.get('program')}, process {owner.get('process')} on {owner.get('host')}")
