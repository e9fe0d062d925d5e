"""Opens untrusted paths: anything but a regular file is refused, so that reading never blocks."""

import errno
import stat
from pathlib import Path

from pointad.errors import InputError

_KINDS = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}
_LONGEST_SHOWN = 100  # characters of a name


def regular_file_size(path: str | Path) -> int:
    """The size of a regular file in bytes.

    Opening a pipe blocks until something writes into it, and a device may never end: readers call this first.

    Args:
        path: a file, or a link to one.

    Raises:
        InputError: the file does not exist, is not a regular file, or the path is invalid.
    """
    shown = _shortened(path)
    try:
        found = Path(path).stat()
    except ValueError as error:  # the path contains NUL
        raise InputError(shown, f"is not a valid path ({error})", "check the path") from error
    except OSError as error:
        problems = {
            errno.ENOENT: "does not exist",
            errno.ENOTDIR: "does not exist",
            errno.ELOOP: "is a symbolic link in a loop",
            errno.ENAMETOOLONG: "has a name that is too long for a file",
        }
        problem = problems.get(error.errno or 0, f"cannot be read ({error.strerror or error})")
        raise InputError(shown, problem, "check the path") from error
    if not stat.S_ISREG(found.st_mode):
        problem = _KINDS.get(stat.S_IFMT(found.st_mode), "is not a regular file")
        raise InputError(shown, problem, "give a regular file")
    return found.st_size


def read_bytes(path: str | Path) -> bytes:
    """The whole content of a regular file.

    Raises:
        InputError: as `regular_file_size`, or the file cannot be read.
    """
    regular_file_size(path)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", "check its permissions") from error


def _shortened(path: str | Path) -> str:
    text = str(path)
    return text if len(Path(text).name) <= 255 else f"{text[:_LONGEST_SHOWN]}…"
