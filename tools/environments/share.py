"""A folder mounted as an SMB share shows it: what is locked can only be used through the descriptor that locked it.

    python tools/environments/share.py STORE MOUNT_POINT    # until it is unmounted

Needs mfusepy (python -m pip install mfusepy), libfuse and /dev/fuse.
"""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfusepy import FUSE, FuseOSError, Operations

_STATUS = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
_TIMES = ("st_atime", "st_mtime", "st_ctime")


class Share(Operations):
    """Passes everything on to a folder, but for locks."""

    use_ns = True  # times are whole nanoseconds

    def __init__(self, store: str) -> None:
        self._store = store
        self._locks: dict[int, int] = {}  # number of the file -> descriptor that has locked it

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = self._at(path).lstat() if fh is None else os.fstat(fh)
        times = {name: getattr(found, f"{name}_ns") for name in _TIMES}
        return {name: getattr(found, name) for name in _STATUS} | times

    def readdir(self, path: str, fh: int) -> Iterator[tuple[str, dict[str, Any], int]]:
        for name in (".", "..", *(entry.name for entry in self._at(path).iterdir())):
            yield name, self.getattr(f"{path}/{name}"), 0

    def readlink(self, path: str) -> str:
        return str(self._at(path).readlink())

    def mkdir(self, path: str, mode: int) -> None:
        self._at(path).mkdir(mode)

    def rmdir(self, path: str) -> None:
        self._at(path).rmdir()

    def unlink(self, path: str) -> None:
        self._at(path).unlink()

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        self._at(old).rename(self._at(new))

    def chmod(self, path: str, mode: int) -> None:
        self._at(path).chmod(mode)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        os.utime(self._at(path)) if times is None else os.utime(self._at(path), ns=times)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags & ~os.O_EXCL)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._require_free(fh)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._require_free(fh)
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        if fh is not None:
            self._require_free(fh)
        os.truncate(self._at(path) if fh is None else fh, length)

    def flock(self, path: str, fh: int, op: int) -> int:
        number = os.fstat(fh).st_ino
        if op & fcntl.LOCK_UN:
            self._forget(number, fh)
        else:
            self._require_free(fh)
            self._locks[number] = fh
        return 0

    def release(self, path: str, fh: int) -> None:
        self._forget(os.fstat(fh).st_ino, fh)
        os.close(fh)

    def _at(self, path: str) -> Path:
        return Path(self._store + path)

    def _require_free(self, descriptor: int) -> None:
        if self._locks.get(os.fstat(descriptor).st_ino, descriptor) != descriptor:
            raise FuseOSError(errno.EACCES)

    def _forget(self, number: int, descriptor: int) -> None:
        if self._locks.get(number) == descriptor:
            del self._locks[number]


if __name__ == "__main__":
    options = {"foreground": True, "nothreads": True, "allow_other": True, "use_ino": True, "direct_io": True}
    FUSE(Share(sys.argv[1]), sys.argv[2], **options)
