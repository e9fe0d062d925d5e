"""Digests of whole files, however large."""

import hashlib
from pathlib import Path

from pointad.errors import InputError
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
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", "give a readable file") from error
