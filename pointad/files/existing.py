"""Checks that a path leads to a regular file or a folder; if not, the error says what it leads to instead."""

import errno
import stat
from collections.abc import Callable
from pathlib import Path

from pointad.errors import InputError

_KINDS = (
    (stat.S_ISREG, "a file"),
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
    return _require(Path(path), missing, remedy, stat.S_ISREG)


def is_beside(path: Path) -> bool:
    """Whether a file lies where one may lie that changes what is read; False only if nothing is there.

    Raises:
        InputError: something lies there that is no file, such as a link that leads nowhere any more, or lies in place
            of its folder; or nobody can tell, as the folder may not be looked into.
    """
    return _is_there(path, stat.S_ISREG)


def is_folder_beside(path: Path) -> bool:
    """The same for a folder."""
    return _is_there(path, stat.S_ISDIR)


def lies_beside(path: Path) -> bool:
    """The same for anything that has this name, of which whoever reads it says what is wrong with it."""
    return _is_there(path, None)


def _is_there(path: Path, is_meant: Callable[[int], bool] | None) -> bool:
    what = "folder" if is_meant is stat.S_ISDIR else "file"
    missing, remedy = "is a link that leads nowhere", f"remove it, or put the {what} there"
    try:
        path.lstat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            if path != path.parent:
                is_folder_beside(path.parent)
            return False
        if error.errno == errno.ENAMETOOLONG:
            return False
        remedy = "check the permissions of its folder"
    except ValueError:
        pass
    else:
        if is_meant is None:
            return True
    _require(path, missing, remedy, is_meant or stat.S_ISREG)
    return True


def _require(path: Path, missing: str, remedy: str, is_meant: Callable[[int], bool]) -> Path:
    """The path, if it leads to something of this mode."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(path, missing, remedy) from error
    except OSError as error:
        name = _shortened(path) if error.errno == errno.ENAMETOOLONG else path
        problem = _PROBLEMS.get(error.errno or 0, f"cannot be read ({error.strerror or error})")
        raise InputError(name, problem, remedy) from error
    except ValueError as error:  # the path contains NUL
        raise InputError(path, f"is not a valid path ({error})", "check the path") from error
    if not is_meant(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "a special file")
        raise InputError(path, f"is {kind}, not a {'folder' if is_meant is stat.S_ISDIR else 'file'}", remedy)
    return path


def _shortened(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 80 else f"{text[:40]}…{text[-30:]}"
