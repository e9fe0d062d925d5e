"""Checks that a path leads to a regular file; if not, the error says what it leads to instead."""

import errno
import os
import stat
from pathlib import Path

from pointad.errors import InputError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISSOCK, "a socket"),
)
_PROBLEMS = {
    errno.ENAMETOOLONG: "has a name that is too long for this file system",
    errno.ELOOP: "is a symbolic link in a loop",
}


def require_file(path: str | Path, missing: str, remedy: str) -> Path:
    """The path, if it leads to a regular file; opening anything else might block for ever.

    Args:
        path: any path; links are followed.
        missing: the problem to report if nothing exists there, such as "checkpoint not found".
        remedy: what to do.

    Raises:
        InputError: nothing exists there, or it is not a regular file.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(path, missing, remedy) from error
    except OSError as error:
        name = _shortened(path) if error.errno == errno.ENAMETOOLONG else path
        problem = _PROBLEMS.get(error.errno or 0, f"cannot be read ({error.strerror or error})")
        raise InputError(name, problem, remedy) from error
    except ValueError as error:  # the path contains NUL
        raise InputError(repr(str(path)), missing, remedy) from error
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "a special file")
        raise InputError(path, f"is {kind}, not a file", remedy)
    return path


def is_beside(path: Path) -> bool:
    """Whether a file lies beside another one, which is read otherwise where there is none.

    Raises:
        InputError: something lies there that is no file, such as a link that leads nowhere any more.
    """
    if not os.path.lexists(path):
        return False
    require_file(path, "is a link that leads nowhere", "remove it, or put the file there")
    return True


def _shortened(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 80 else f"{text[:40]}…{text[-30:]}"
