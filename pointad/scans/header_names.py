"""Finds the names of a table's columns in the lines above its rows."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.column_order import check_order
from pointad.scans.length_units import has_no_length, length
from pointad.scans.named_columns import find_columns, is_no_coordinate
from pointad.scans.row_numbers import numbers_rows
from pointad.scans.text_cells import COMMA, is_numeric, split, without_comment_sign

logger = logging.getLogger(__name__)

_TITLE = re.compile(rb"(?=(?:columns?|fields|format|header|[a-z]+:)\s)([a-z]+):?\s+", re.IGNORECASE)
_BEFORE_UNIT = re.compile(rb"[ \t]{1,16}(?=[\[(])")
_LONGEST = 100_000  # characters of a line of names
_REMEDY = "name every column; decimal commas need another separator"


def names_coordinates(header: bytes, separator: bytes | None) -> bool:
    """Whether a line names x, y and z."""
    return find_columns(_texts(split(without_comment_sign(header), separator))).xyz is not None


def names_all(line: bytes, separator: bytes | None, columns: int) -> bool:
    """Whether a line names x, y and z and as many columns as there are."""
    found = map(_texts, _candidates(line, separator) if len(line) <= _LONGEST else ())
    return any(len(names) == columns and find_columns(names).xyz is not None for names in found)


def is_units(line: bytes) -> bool:
    """Whether a line consists of the columns' units, of which some may be missing."""
    units = _units(line)
    if len(units) < 3 or not all(unit in ("", "-") or length(unit) or has_no_length(unit) for unit in units):
        return False
    return any(map(length, units)) or {"", "-", "px"}.issuperset(units)  # "row" and "index" are names too


def column_names(
    header: bytes, separator: bytes | None, sample: Sequence[bytes], name: str | Path
) -> tuple[str, ...] | None:
    """The names of the columns, if a line above the rows has them: one per column, or, of coordinates, for all but one.

    Args:
        header: the line.
        separator: between the cells of the rows.
        sample: rows; the first tells the number of columns.
        name: the file, for errors.

    Raises:
        InputError: the line names x, y and z, but does not match the columns.
    """
    columns = len(split(sample[0], separator))
    candidates = _candidates(header, separator)
    for cells in candidates:
        if len(cells) == columns and not all(map(is_numeric, cells)):
            return _texts(cells)
    # Decimal commas between commas make more numbers than names.
    may_hide_commas = separator == COMMA and not any(b"." in line for line in sample)
    mismatch = f"names {{}} columns but has {columns} numbers per row"
    for names in map(_texts, candidates):
        coordinates = find_columns(names).xyz or ()
        if len(names) < columns and (0 in coordinates or (coordinates and is_no_coordinate(names[0]))):
            if len(names) == columns - 1:
                return names
            if may_hide_commas or coordinates not in ((0, 1, 2), (1, 2, 3)):
                raise InputError(name, mismatch.format(len(names)), _REMEDY)
            return None  # as without names: coordinates come first
    for names in map(_texts, candidates):
        plain = [text.strip('" ').lower() for text in names]
        if plain[:1] == ["x"] and {"y", "z"} <= set(plain):
            raise InputError(name, mismatch.format(len(names)), _REMEDY)
    return None


def completed(
    names: tuple[str, ...], values: np.ndarray, first_row: bytes, separator: bytes | None, name: str | Path
) -> tuple[str, ...]:
    """Names for all columns, where one is missing: that of the first column if it numbers the rows, else of the last.

    R does not name the row numbers. Trailing separators make an empty last column.

    Args:
        names: from `column_names`, one fewer than columns.
        values: (N, C) numbers; nan in columns of words.
        first_row: as in the file.
        separator: between its cells.
        name: the file, for the log and for errors.

    Raises:
        InputError: the first column is neither row numbers nor the first that is named, or decimal commas between
            commas may have made one column more.
    """
    empty = np.isnan(values).all(axis=0)
    if empty[-1] and not empty[0]:
        return (*names, "")
    if 0 in (find_columns(names).xyz or ()):
        quoted = [cell.strip().startswith(b'"') for cell in first_row.split(separator)[:2]] == [True, False]
        numbered = empty[0] or quoted or numbers_rows(values) is not None
    else:  # such as "id": there may be two columns of numbers
        numbered = numbers_rows(values) is not None and numbers_rows(values[:, 1:]) is not None
    if numbered:
        return ("", *names)
    stated = f"names {len(names)} columns but has {values.shape[1]} numbers per row"
    finite = values[np.isfinite(values)]
    if separator == COMMA and b"." not in first_row and (finite == np.rint(finite)).all():
        raise InputError(name, stated, _REMEDY)
    if not is_no_coordinate(names[0]):
        check_order(values, Path(name), stated)
    logger.warning("%s: %s; the last column is taken to be the one without a name", name, stated)
    return (*names, "")


def _candidates(header: bytes, separator: bytes | None) -> list[list[bytes]]:
    """What a line's names may be: separated like the rows or otherwise; without a title such as "Fields:"."""
    bare = without_comment_sign(header)
    title = _TITLE.match(bare)
    for line in (bare[title.end() :], bare) if title and not is_no_coordinate(title[1].decode()) else (bare,):
        words = line.strip().strip(b",;")
        units_joined = _BEFORE_UNIT.sub(b"", words)
        candidates = [split(line, separator), *(re.split(rb"[,;\s]+", part) for part in (words, units_joined))]
        if any(find_columns(_texts(cells)).xyz is not None for cells in candidates):
            break
    return candidates


def with_units(names: tuple[str, ...], above: bytes, name: str | Path) -> tuple[str, ...]:
    """Names with the units of a line of their own, as in "x [mm]".

    Args:
        names: of the columns, or units themselves, if nothing else stands above the rows.
        above: the lines before the first row.
        name: the file, for the log.
    """
    lines = (without_comment_sign(line) for line in reversed(above.splitlines()))
    units = next((_units(line) for line in lines if is_units(line) and re.search(rb"[^\s\W]", line)), None)
    if units is None:
        return names
    if len(units) != len(names):
        if len({found[1] for found in map(length, units) if found is not None}) > 1:
            logger.warning("%s: %d units for %d columns; they are not used", name, len(units), len(names))
        return names
    plain = [not unit.strip("- ") or re.search(r"[\[(/]", name) for name, unit in zip(names, units, strict=True)]
    return tuple(name if bare else f"{name} [{unit}]" for name, unit, bare in zip(names, units, plain, strict=True))


def _units(line: bytes) -> list[str]:
    cells = re.split(rb"[,;\t]" if re.search(rb"[,;\t]", line) else rb"\s+", line.strip(b" "))
    return [text.strip("'\" ").strip("[]()").lower() for text in _texts(cells)]


def _texts(cells: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(cell.decode("utf-8", errors="replace") for cell in cells)
