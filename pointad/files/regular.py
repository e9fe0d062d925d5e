"""Anything but a regular file is refused where untrusted paths are opened, as reading might block, and replaced."""

import errno
import os
import stat
from pathlib import Path

from pointad.errors import InputError, failures_of

_KINDS = {
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}
_DESCRIPTORS = "/proc/"  # where /dev/stdout and its like lead
_LONGEST_SHOWN = 100  # characters of a name


def as_path(path: str | os.PathLike[str], subject: str = "path") -> Path:
    """The path that a caller of the library gave.

    Raises:
        InputError: it is neither a text nor a path.
    """
    try:
        return Path(path)
    except TypeError as error:
        problem = f"is a {type(path).__name__}"
        raise InputError(subject, problem, "give a text or a pathlib.Path") from error


def regular_file_size(path: str | Path) -> int:
    """The size of a regular file in bytes.

    Opening a pipe blocks until something writes into it, and a device may never end: readers call this first.

    Args:
        path: a file, or a link to one.

    Raises:
        InputError: the file does not exist, is not a regular file, or the path is invalid.
    """
    path = as_path(path)
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
    kind = kind_of(found)
    if kind is not None:
        raise InputError(shown, kind, "give a regular file")
    return found.st_size


def kind_of(found: os.stat_result) -> str | None:
    """What something is if it is no regular file, such as "is a pipe"; None for a regular file."""
    if stat.S_ISREG(found.st_mode):
        return None
    return _KINDS.get(stat.S_IFMT(found.st_mode), "is not a regular file")


def refuse_special(path: str | Path) -> None:
    """Refuse to replace what is no regular file: of `/dev/null` a file would be made where a user may do that.

    Args:
        path: of a file to be written, which may be missing; a link to a regular file, or to nothing, may be replaced.

    Raises:
        InputError: it is a folder, a pipe, a socket or a device, or leads to one, or the path is invalid.
    """
    remedy = "choose another name"
    try:
        kind = kind_of(Path(path).stat())
        if Path(path).is_symlink() and str(Path(path).readlink()).startswith(_DESCRIPTORS):
            raise InputError(path, "is not a file, but an alias of an open one", remedy)
    except ValueError as error:  # the path contains NUL
        raise InputError(_shortened(path), f"is not a valid path ({error})", "check the path") from error
    except OSError:  # nothing is there; whoever writes says what else is wrong
        return
    if kind is not None:
        raise InputError(path, kind, remedy)


def read_bytes(path: str | Path) -> bytes:
    """The whole content of a regular file.

    Raises:
        InputError: as `regular_file_size`, or the file cannot be read.
    """
    regular_file_size(path)
    with failures_of(path, "read", "check its permissions"):
        return Path(path).read_bytes()


def _shortened(path: str | Path) -> str:
    text = str(path)
    return text if len(Path(text).name) <= 255 else f"{text[:_LONGEST_SHOWN]}…"


def refuse_leaving(folder: Path, path: Path) -> None:
    """Refuse a file below a folder of outputs if a link between them leads out of it; a name that is a link is no harm.

    Args:
        folder: may be a link itself.
        path: below it; need not exist.

    Raises:
        InputError: it would be written, or removed, elsewhere.
    """
    if "\0" not in str(path) and not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder)):
        raise InputError(path.parent, f"leads out of {folder} by a link", "remove the link, or choose another folder")
