"""Folders that a run works in, and whether they are still where they were.

One may be removed or moved away while a run works in it, and another run may begin under its name: what the first one
writes there would come among the files of the second, which holds the lock of a folder that was never locked by it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pointad.errors import InputError


class Standing(NamedTuple):
    """A folder, and the file or folder that tells it apart from another one of its name."""

    folder: Path  # absolute
    witness: Path
    device: int  # of the witness
    number: int


_standing: list[Standing] = []  # of all threads: one may write what another has begun


@contextlib.contextmanager
def standing_folder(folder: Path) -> Iterator[Standing]:
    """Have `refuse_replaced` refuse what is written below a folder, once another one has taken its place.

    Args:
        folder: must exist.

    Raises:
        OSError: it does not.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)  # while it is open, no other folder gets its number
    try:
        with witnessed(folder, folder, descriptor) as standing:
            yield standing
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def witnessed(folder: Path, witness: Path, descriptor: int) -> Iterator[Standing]:
    """The same for a folder with a file in it that is open, such as its lock, and must stay."""
    found = os.fstat(descriptor)
    standing = Standing(folder.absolute(), witness.absolute(), found.st_dev, found.st_ino)
    know(standing)
    try:
        yield standing
    finally:
        _standing.remove(standing)


def know(standing: Standing) -> None:
    """The same in a process that works for the one that keeps the folder open, until it ends."""
    _standing.append(standing)


def refuse_replaced(path: Path) -> None:
    """Refuse to write, or remove, what lies in a folder that is no longer the one that this run works in.

    Args:
        path: of a file or folder; need not exist.

    Raises:
        InputError: the folder was removed, moved or replaced.
    """
    for standing in list(_standing):
        if path.absolute().is_relative_to(standing.folder) and not _stands(standing):
            problem = "was removed, moved or replaced while this run worked in it"
            raise InputError(standing.folder, problem, "look whether another run uses it now, and start this one again")


def _stands(standing: Standing) -> bool:
    try:
        found = standing.witness.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (standing.device, standing.number)
