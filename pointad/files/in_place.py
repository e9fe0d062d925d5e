"""Files that are written in place, not renamed into it: only a regular file that no other name leads to is opened."""

import os
from io import TextIOWrapper
from pathlib import Path

from pointad.errors import InputError
from pointad.files.regular import kind_of


def open_in_place(path: str | Path, flags: int) -> int:
    """Open a file to be changed, made if it is missing, and return its descriptor.

    What others planted under its name would be changed instead: what a link leads to, or, with a hard link, a file that
    lies elsewhere too. A pipe would be waited for.

    Args:
        path: the file.
        flags: of `os.open`.

    Raises:
        InputError: it is a link, has a second name, or is no regular file.
        OSError: it cannot be opened.
    """
    path = Path(path)
    remedy = "remove it, or choose another folder"
    if path.is_symlink():
        raise InputError(path, f"is a symbolic link to {path.readlink()}", remedy)
    kind = kind_of(path.lstat()) if os.path.lexists(path) else None
    if kind is not None:
        raise InputError(path, kind, remedy)
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    found = os.fstat(descriptor)
    kind = "is a hard link: another name leads to the same file" if found.st_nlink > 1 else kind_of(found)
    if kind is not None:
        os.close(descriptor)
        raise InputError(path, kind, remedy)
    return descriptor


def append_to(path: str | Path) -> TextIOWrapper:
    """Open a text file for appending; errors as those of `open_in_place`."""
    return os.fdopen(open_in_place(path, os.O_WRONLY | os.O_APPEND), "a", encoding="utf-8")
