"""Digests of whole files, however large."""

import hashlib
from pathlib import Path

from pointad.errors import failures_of
from pointad.files.regular import regular_file_size

_PIECE = 1 << 20  # bytes that are read at once


def file_digest(path: Path) -> bytes:
    """The SHA-256 of a file's content.

    Raises:
        InputError: this is no regular file, or cannot be read.
    """
    digest = hashlib.sha256()
    add_content(digest, path)
    return digest.digest()


def add_content(digest: "hashlib._Hash", path: Path) -> None:
    """Add a file's content to a digest.

    Raises:
        InputError: this is no regular file, or cannot be read.
    """
    regular_file_size(path)  # opening a pipe would wait for ever
    with failures_of(path, "read", "give a readable file"), path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
