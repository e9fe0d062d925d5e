"""Whether a file or folder exists, for untrusted paths that may be invalid."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from pointad.errors import InputError

_OUT_OF_REACH = {
    *(errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
    *(errno.EACCES, errno.EPERM),
}


def is_file(path: str | Path) -> bool:
    """Whether a file exists; False for paths that are too long, loop, contain NUL, or lead where access is denied.

    Raises:
        InputError: a disk, or a server that it is on, fails to tell.
    """
    return _leads_to(path, stat.S_ISREG)


def is_folder(path: str | Path) -> bool:
    """Whether a folder exists; otherwise as `is_file`."""
    return _leads_to(path, stat.S_ISDIR)


def identity_of(path: str | Path) -> object:
    """What tells a file or folder apart under any name, such as those of links; of what cannot be reached, its path."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _leads_to(path: str | Path, is_kind: Callable[[int], bool]) -> bool:
    with what_is_in_reach(path):
        return is_kind(Path(path).stat().st_mode)
    return False


@contextlib.contextmanager
def what_is_in_reach(path: str | Path) -> Iterator[None]:
    """End the block where nothing has this path, or it may not be looked at.

    Raises:
        InputError: it cannot be read for another reason, as when a disk fails: nobody knows what is there.
    """
    try:
        yield
    except ValueError:  # not a valid path
        return
    except OSError as error:
        if error.errno not in _OUT_OF_REACH:
            problem = f"cannot be read ({error.strerror or error})"
            raise InputError(path, problem, "check the disk that it is on, and start the program again") from error
