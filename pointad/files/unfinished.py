"""Files that are being written: their writers hold kernel locks on them, so that what a killed one left is recognised.

The lock ends with its process, however that ends. On file systems without such locks nothing is taken for abandoned.
On SMB shares, a locked file can be neither written nor read through another descriptor (flock(2), "CIFS details"), as
writers do that open it by its name. There, a byte far behind any content is locked.
"""

import contextlib
import fcntl
import os
import secrets
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 220  # bytes of a name that leave room for the marks of an unfinished file
_TOKEN_BYTES = 6
_MARK = ".partial"
_FAR = 2**62


@contextlib.contextmanager
def unfinished_file(target: Path) -> Iterator[Path]:
    """Create a file beside the target, under a unique name, and keep others from taking it for abandoned.

    The name keeps the target's suffix, because writers choose their format by it. What killed processes left of the
    same target is removed; at the end of the block the file is, unless it was renamed.

    Args:
        target: its folder must exist.

    Raises:
        OSError: the file cannot be created.
    """
    remove_abandoned(target)
    while True:
        path = target.with_name(f".{_stem(target)}.{secrets.token_hex(_TOKEN_BYTES)}{_MARK}{target.suffix}")
        descriptor = None
        try:  # an interrupt that comes while the file is created is raised after that
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            if _lock(descriptor, path) and is_still_at(path, descriptor):
                yield path
                return
        finally:
            with contextlib.suppress(OSError):  # there only if it was not renamed
                path.unlink(missing_ok=True)
            if descriptor is not None:
                os.close(descriptor)


def remove_abandoned(target: Path) -> None:
    """Remove the unfinished files of a target whose writers have ended."""
    beginning, ending = f".{_stem(target)}.", f"{_MARK}{target.suffix}"
    length = len(beginning) + 2 * _TOKEN_BYTES + len(ending)
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if len(entry.name) == length and entry.name.startswith(beginning) and entry.name.endswith(ending):
                remove_if_abandoned(target.with_name(entry.name))


def is_unfinished(name: str) -> bool:
    """Whether this is the name of a file that is not finished."""
    return name.startswith(".") and _MARK in name


def remove_if_abandoned(path: Path) -> bool:
    """Remove an unfinished file if no process is writing it; returns whether it was removed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_still_at(path, descriptor):
                path.unlink()
                return True
        finally:
            os.close(descriptor)
    return False


def is_still_at(path: Path, descriptor: int) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _lock(descriptor: int, path: Path) -> bool:
    """Whether no other process is about to remove the empty file; True on file systems without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_writable_by_name(path):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            _lock_far_byte(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_writable_by_name(path: Path) -> bool:
    """Whether the lock on an empty file leaves its content to other descriptors."""
    with contextlib.suppress(OSError), path.open("r+b", buffering=0) as file:
        try:
            file.write(b"0")
        except PermissionError:
            return False
        file.truncate(0)
    return True


def _lock_far_byte(descriptor: int) -> None:
    if sys.platform == "linux":
        structure = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, _FAR, 1, 0)  # flock of 64-bit Linux
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, structure)


def _stem(target: Path) -> str:
    # A long name has no room for the marks of an unfinished file.
    return target.stem if len(target.name.encode(errors="surrogatepass")) <= _LONGEST else target.stem[:20]
