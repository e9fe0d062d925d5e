"""Reads tables of numbers from text with any common separator."""

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.header_names import completed, with_units
from pointad.scans.named_columns import find_columns
from pointad.scans.text_cells import BLANK, COMMA, TAB, pieces, replaced, split
from pointad.scans.text_dialect import MISSING, Dialect, decoded, find_dialect, plain_nan, plain_rows

logger = logging.getLogger(__name__)

_COMMENTS = re.compile(rb"(?m)^[ \t]*(?:[#%!]|//)[^\n]*\n?")
_NEEDLESS_QUOTES = re.compile(rb'(?<![^\s,;])"[ ]*([^"\s,;]*)[ ]*"')
_COMMA_TO_POINT = bytes.maketrans(b",", b".")
_REMEDY = "give rows of numbers of equal length, and write nan where a number is missing"


@dataclass(frozen=True)
class TextTable:
    """The numbers of a text file."""

    values: np.ndarray  # (N, C) float64; nan where a cell is empty
    names: tuple[str, ...] | None  # the names of the C columns, if the file has them
    above: bytes  # the lines above the first row
    places: tuple[int, ...]  # where the C columns are among those of the file, from 0
    file_names: tuple[str, ...]  # of all columns of the file; "" for those without a name
    decimal_comma: bool


def read_rows(path: str | Path) -> np.ndarray:
    """Read a text file with one point per row.

    Lines before the first row of at least three numbers (titles, the number of points) and comments are skipped.

    Returns:
        (N, C) float64, at least three columns; missing numbers are nan.

    Raises:
        InputError: the file is missing, empty or has rows of different lengths.
    """
    return parse_table(read_bytes(path), path).values


def parse_rows(content: bytes, name: str | Path) -> np.ndarray:
    """`read_rows` for text without names in memory, called `name` in errors; columns without any number stay."""
    return parse_table(content, name, keep_empty=True, nameless=True).values


def parse_table(content: bytes, name: str | Path, *, keep_empty: bool = False, nameless: bool = False) -> TextTable:
    """Read a table with its header, if it has one.

    Separators are semicolons, tabs, commas or blanks. Commas are read as decimal signs if something else separates,
    which is logged. Cells may be quoted or empty. Columns of words are permitted if they are named; they are nan.

    Args:
        content: ASCII, UTF-8 or any 8-bit extension of ASCII, or UTF-16 or 32.
        name: the file, for the log and for errors.
        keep_empty: keep columns that hold no number at all; else they are left out if three others remain.
        nameless: a first row 0, 1, 2 is a point, whatever follows.

    Raises:
        InputError: there is no table, its rows have different lengths, or the decimal sign is ambiguous.
    """
    content = plain_rows(decoded(content, name))
    dialect = find_dialect(content, name, nameless=nameless)
    body = content[dialect.start :] if dialect.start else content
    if any(sign in body for sign in (b"#", b"//", b"!", b"%")):
        body = replaced(_COMMENTS, b"", body)
    first_row = body.lstrip().partition(b"\n")[0]
    values = _numbers(plain_nan(body), dialect, name)
    names, columns = dialect.names, values.shape[1]
    named = 0 if names is None else len(names)
    if names is not None and named < columns and find_columns(names).xyz is not None:
        names = completed(names, values, first_row, dialect.separator, name)
    if names is not None and len(names) != columns:
        names = None
    names = with_units(names, content[: dialect.start], columns, named, name)
    places = tuple(range(columns))
    file_names = ("",) * columns if names is None else tuple(names)
    empty = np.isnan(values).all(axis=0)
    for place in find_columns(file_names).xyz or ():
        if empty[place]:
            problem = f"has words or nothing in place of numbers in the column {file_names[place]!r}"
            raise InputError(name, problem, "write numbers there, and nan where one is missing")
    if (
        not keep_empty and empty.any() and values.shape[1] - empty.sum() >= 3
    ):  # trailing separators, and columns of words
        values = values[:, ~empty]
        places = tuple(np.flatnonzero(~empty).tolist())
        names = None if names is None else tuple(names[place] for place in places)
    return TextTable(values, names, content[: dialect.start], places, file_names, dialect.decimal_comma)


def _numbers(body: bytes, dialect: Dialect, name: str | Path) -> np.ndarray:
    """Parse as it is, then with missing-number markers replaced, then with words, then with blanks beside tabs."""
    body = _with_points(body, dialect)
    if b'"' in body:
        body = replaced(_NEEDLESS_QUOTES, rb"\1", body)
    try:
        return _parsed(body, dialect.separator)
    except ValueError as error:
        problem = error
    try:
        filled = [piece for piece in pieces(body) if piece.strip(b"\n ")]
        patched = b"\n".join(_missing_replaced(piece, dialect.separator) for piece in filled)
    except ValueError as error:
        raise InputError(name, f"is not a table of numbers ({error})", _REMEDY) from error
    attempts = [(patched, dialect.separator, False)]
    if dialect.names is not None:
        attempts.append((patched, dialect.separator, True))
    if dialect.separator == TAB:  # some columns may be separated by blanks
        attempts.append((body, BLANK, False))
    for text, separator, with_words in attempts:
        try:
            return _with_words(text, separator) if with_words else _parsed(text, separator)
        except ValueError:
            continue
    said = str(problem).partition(";")[0]  # what follows is advice for programmers
    raise InputError(name, f"is not a table of numbers ({said})", _REMEDY) from problem


def _parsed(body: bytes, separator: bytes | None, columns: Sequence[int] | None = None) -> np.ndarray:
    quoted = b'"' in body
    comments = () if quoted else tuple(mark for mark in ("#", "//") if mark.encode() in body)  # numpy knows one of both
    return np.loadtxt(
        io.BytesIO(body),
        dtype=np.float64,
        comments=comments or None,
        delimiter=None if separator is None else separator.decode(),
        quotechar='"' if quoted else None,
        usecols=columns,
        ndmin=2,
        encoding="latin1",
    )


def _with_words(body: bytes, separator: bytes | None) -> np.ndarray:
    """A table in which some columns hold words; those are nan."""
    first = body[: body.find(b"\n")] if b"\n" in body else body
    cells = split(first, separator)
    numeric = [place for place, cell in enumerate(cells) if _is_float(cell)]
    if len(numeric) < 3:
        raise ValueError("too few columns of numbers")
    read = _parsed(body, separator, numeric)
    values = np.full((len(read), len(cells)), np.nan)
    values[:, numeric] = read
    return values


def _is_float(cell: bytes) -> bool:
    try:
        float(cell.strip().strip(b'"'))
    except ValueError:
        return False
    return True


def _with_points(body: bytes, dialect: Dialect) -> bytes:
    if not dialect.decimal_comma:
        return body
    if dialect.separator == COMMA:  # decimal commas are quoted
        return re.sub(rb'"\s*([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)\s*"', rb"\1.\2", body)
    return body.translate(_COMMA_TO_POINT)


def _missing_replaced(body: bytes, separator: bytes | None) -> bytes:
    """Write nan into cells that are empty or marked as missing, and e for the d of Fortran exponents."""
    body = re.sub(rb"(?<=[\d.])[dD](?=[+-]?\d)", b"e", body)
    if b"  " in body:  # of quotation marks that are gone, perhaps very many, whose every part would be tried
        body = re.sub(rb" {2,}", b" ", body)
    end = rb"(?=[\s]|$)" if separator is None else rb"(?=[ ]*(?:%b|\n|$))" % separator
    if separator is None:
        return re.sub(rb"(?im)(?<![^\s])(?:%b)%b" % (MISSING.lstrip(b"|"), end), b"nan", body)
    lines = re.sub(rb"(?m)^[ ]+|[ ]+$", b"", body) if b" " in body else body
    lines = re.sub(rb"\n{2,}", b"\n", lines.strip(b"\n"))
    return re.sub(rb'(?im)(?:(?<=%b)|^)[ ]*"?(?:%b)"?%b' % (separator, MISSING.lstrip(b"|") + b"|", end), b"nan", lines)
