"""Work that several processes may come upon is done by the one that claims it first, as long as it lives."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pointad.errors import InputError


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold a claim while the block runs; it ends with the process too, however that ends.

    Args:
        path: a file that stands for the work; it is made, and removed at the end of the block.

    Yields:
        Whether this process holds the claim; False where another one does, or did a moment ago.

    Raises:
        InputError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})", "choose a writable folder") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # a file system without locks: nobody is kept away
        if not _is_still_at(path, file.fileno()):
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def _is_still_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is not one that another process has removed since it was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
