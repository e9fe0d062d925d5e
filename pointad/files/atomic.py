"""Atomic writing: files are written under a temporary name beside the target, then renamed."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pointad.errors import InputError, failures_of
from pointad.files.presence import is_folder
from pointad.files.regular import as_path, refuse_special
from pointad.files.standing_folders import refuse_replaced
from pointad.files.unfinished import unfinished_file


def make_folder(path: str | Path) -> None:
    """Create a folder for outputs, with its parents, if it is missing.

    Raises:
        InputError: it cannot be created.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: not a valid path
        problem = f"cannot be created ({getattr(error, 'strerror', None) or error})"
        raise InputError(path, problem, "choose a writable folder with free space") from error


def require_folder_place(path: str | Path) -> None:
    """Refuse an output folder that cannot be one, as it, or what it is to lie in, is a file; nothing is created.

    Raises:
        InputError: there is a file.
    """
    for place in (Path(path), *Path(path).parents):
        if is_folder(place):
            return
        if os.path.lexists(place):
            raise InputError(place, "is not a folder", "choose another output folder")


def remove_file(path: Path) -> None:
    """Remove a file that a run wrote earlier, if it is there; what a link leads to stays.

    Raises:
        InputError: it cannot be removed, is no regular file, or its folder is no longer the one that this run works in.
    """
    refuse_special(path)
    refuse_replaced(path)
    with failures_of(path, "removed", "choose a writable folder"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; it replaces the target if the block ends without an error.

    The folder is created if it is missing. The temporary file exists already, and its name keeps the target's suffix
    and is unique, so that two processes may write the same target: the last rename wins. If the block raises, the
    temporary file is removed and the target stays as it was; if the process is killed, the next one that writes the
    target removes it.

    Args:
        path: the file to write.

    Raises:
        InputError: the folder cannot be created or written to, the disk is full, the target is no regular file, or
            its folder is no longer the one that this run works in.
    """
    target = as_path(path)
    refuse_special(target)
    refuse_replaced(target)
    with failures_of(target, "written", "choose a writable folder with free space"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(target) as temporary:
            yield temporary
            refuse_replaced(target)
            temporary.replace(target)


def write_text(path: str | Path, text: str, errors: str = "strict") -> None:
    """Write a text in UTF-8, as `atomic_path` does.

    Raises:
        InputError: as there.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=errors)


def require_writable(path: str | Path) -> None:
    """Refuse a file that could not be written, before the work is done whose result it is to hold; nothing is left.

    Raises:
        InputError: as `atomic_path`.
    """
    missing = [folder for folder in as_path(path).parents if not folder.exists()]
    try:
        with contextlib.suppress(_NothingToWriteError), atomic_path(path):
            raise _NothingToWriteError
    finally:
        with contextlib.suppress(OSError):  # another run may have written there meanwhile
            for folder in missing:
                folder.rmdir()


class _NothingToWriteError(Exception):
    """Leaves a file as it was."""


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: all of them under temporary names, which are then renamed one after another.

    A full disk leaves all of them as they were, and a process that is killed has hardly a moment to leave some of them.

    Args:
        contents: what each file shall hold; the last one is renamed last.

    Raises:
        InputError: as `atomic_path`; none of the files was replaced if it was not the renaming that failed.
    """
    with contextlib.ExitStack() as written:
        for path, content in reversed(list(contents.items())):  # what is entered first, is left last
            written.enter_context(atomic_path(path)).write_bytes(content)
