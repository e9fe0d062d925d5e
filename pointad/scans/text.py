"""Reads rows of numbers from text, separated by spaces, tabs, commas or semicolons."""

import io
import re
from pathlib import Path

import numpy as np

from pointad.errors import InputError

_SEPARATORS = bytes.maketrans(b",;\t\r", b"    ")
_COMMENT = re.compile(rb"^[ ]*(#|//)")
_REMEDY = "give rows of numbers of equal length"


def read_rows(path: str | Path) -> np.ndarray:
    """Read a text file with one point a row.

    Lines before the first row of at least three numbers (titles, the number of points) and comments are skipped.

    Returns:
        (N, C) float64, at least three columns; `nan` and `inf` are read as such.

    Raises:
        InputError: the file is missing, empty or has rows of different length.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", _REMEDY) from error
    return parse_rows(content, path)


def parse_rows(content: bytes, name: str | Path) -> np.ndarray:
    """`read_rows` for text that is in memory; errors call it `name`."""
    content = content.translate(_SEPARATORS)
    start = _first_row(content)
    if start is None:
        raise InputError(name, "holds no row of at least three numbers", _REMEDY)
    try:
        rows = np.loadtxt(
            io.BytesIO(content[start:]), dtype=np.float64, comments=("#", "//"), ndmin=2, encoding="latin1"
        )
    except (ValueError, OverflowError) as error:
        raise InputError(name, f"is not a table of numbers ({error})", _REMEDY) from error
    return rows


def _first_row(content: bytes) -> int | None:
    """Where the first row of three or more numbers begins; None if there is none among the first lines."""
    start = 0
    for _ in range(1000):
        end = content.find(b"\n", start)
        line = content[start : end if end >= 0 else len(content)]
        if not _COMMENT.match(line) and _is_row(line.split()):
            return start
        if end < 0:
            return None
        start = end + 1
    return None


def _is_row(words: list[bytes]) -> bool:
    try:
        return len([float(word) for word in words]) >= 3
    except ValueError:
        return False
