"""Finds the names of a table's columns in the lines above its rows."""

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.column_order import check_order
from pointad.scans.length_units import has_no_length, length
from pointad.scans.named_columns import find_columns, is_no_coordinate, plain_name
from pointad.scans.row_numbers import numbers_rows
from pointad.scans.text_cells import COMMA, is_numeric, split, without_comment_sign
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

_TITLE = re.compile(rb"(?=(?:columns?|fields|format|header|[a-z]+:)\s)([a-z]+):?\s+", re.IGNORECASE)
_BEFORE_UNIT = re.compile(rb"[ \t]{1,16}(?=[\[(])")
_MOST_NAMES = 100
_LETTERS = re.compile(rb"(?i)(?<![a-z0-9])([xyz])[^a-z0-9]{0,3}([xyz])[^a-z0-9]{0,3}([xyz])(?![a-z0-9])")
_LONGEST_LINE = 10_000  # characters that are searched for these
MOST_ABOVE = 200_000  # characters of the lines above the rows that may be names or units
_REMEDY = "name every column; decimal commas need another separator"


@lru_cache(maxsize=64)  # the same line is asked for again at every line below it
def names_coordinates(header: bytes, separator: bytes | None) -> bool:
    """Whether a line names x, y and z."""
    return find_columns(_texts(split(without_comment_sign(header), separator))).xyz is not None


def is_units(line: bytes) -> bool:
    """Whether a line consists of the columns' units, of which some may be missing."""
    units = _units(line)
    different = set(units)
    if len(units) < 3 or not all(unit in ("", "-") or length(unit) or has_no_length(unit) for unit in different):
        return False
    return any(map(length, different)) or {"", "-", "px"}.issuperset(different)  # "row" and "index" are names too


def column_names(
    above: Sequence[bytes], separator: bytes | None, sample: Sequence[bytes], name: str | Path
) -> tuple[str, ...] | None:
    """The names of the columns, if a line above the rows has them: one per column, or, of coordinates, of fewer.

    Lines that name x, y and z count above others, the last of them above earlier ones; else the last line counts.

    Args:
        above: the lines above the rows that may be names.
        separator: between the cells of the rows.
        sample: rows; the first tells the number of columns.
        name: the file, for the log and for errors.

    Raises:
        InputError: a line names x, y and z, but does not match the columns.
    """
    columns = len(split(sample[0], separator))
    lines = [_candidates(line, separator) for line in reversed(above)]
    for found in (names for candidates in lines for names in candidates):
        if len(found) == columns and find_columns(found).xyz is not None:
            return found
    for found in (names for candidates in lines for names in candidates):
        fits = len(found) == columns - 1 and find_columns(found).xyz is not None and _end_empty(sample, separator)
        if len(found) < columns and (fits or _begins_with_column(found)):
            # Decimal commas between commas make more numbers than names.
            may_hide_commas = separator == COMMA and not any(b"." in line for line in sample)
            if len(found) < columns - 1 and (may_hide_commas or find_columns(found).xyz not in ((0, 1, 2), (1, 2, 3))):
                raise InputError(name, _mismatch(found, columns), _REMEDY)
            return found
    last = lines[0] if lines else []
    for found in last:
        if len(found) == columns and not any(is_numeric(cell.encode()) for cell in found[:3]):
            return tuple("" if text == "-" else text for text in found)
    for found in last:
        plain = [text.strip('" ').lower() for text in found]
        if plain[:1] == ["x"] and {"y", "z"} <= set(plain) and plain[:3] != ["x", "y", "z"]:
            raise InputError(name, _mismatch(found, columns), _REMEDY)
    unused = next(
        (
            line
            for line, candidates in zip(reversed(above), lines, strict=False)
            if any(map(_names_two, candidates)) or _orders_otherwise(line)
        ),
        None,
    )
    if unused is not None:
        shown = unused[:60].decode("utf-8", errors="replace")
        logger.warning("%s: the line %r does not match the %d columns and is not used", name, shown, columns)
    return None


def completed(
    names: tuple[str, ...], values: np.ndarray, first_row: bytes, separator: bytes | None, name: str | Path
) -> tuple[str, ...]:
    """Names for all columns, where some are missing: that of the first if it alone numbers the rows, else of the last.

    R does not name the row numbers. Trailing separators make an empty last column.

    Args:
        names: from `column_names`, fewer than columns.
        values: (N, C) numbers; nan in columns of words.
        first_row: as in the file.
        separator: between its cells.
        name: the file, for the log and for errors.

    Raises:
        InputError: the first column is neither row numbers nor the first that is named, or decimal commas between
            commas may have made one column more.
    """
    missing = values.shape[1] - len(names)
    behind = (*names, *missing * ("",))
    empty = np.isnan(values).all(axis=0)
    if missing == 1 and empty[-1] and not empty[0]:
        return behind
    if 0 in (find_columns(names).xyz or ()):
        quoted = [cell.strip().startswith(b'"') for cell in first_row.split(separator)[:2]] == [True, False]
        numbered = empty[0] or quoted or numbers_rows(values) is not None
    else:  # such as "id": there may be two columns of numbers
        numbered = numbers_rows(values) is not None and numbers_rows(values[:, 1:]) is not None
    if missing == 1 and numbered:
        return ("", *names)
    stated = _mismatch(names, values.shape[1])
    finite = values[np.isfinite(values)]
    if separator == COMMA and b"." not in first_row and are_whole(finite):
        raise InputError(name, stated, _REMEDY)
    if not is_no_coordinate(names[0]):
        check_order(values, Path(name), stated)
    what = "last column is taken to be the one" if missing == 1 else f"last {missing} columns are taken to be those"
    logger.warning("%s: %s; the %s without a name", name, stated, what)
    return behind


def _begins_with_column(names: tuple[str, ...]) -> bool:
    """Whether names with x, y and z begin with one of these, or with something else that is often in front of them."""
    coordinates = find_columns(names).xyz
    return coordinates is not None and (0 in coordinates or is_no_coordinate(names[0]))


def _end_empty(sample: Sequence[bytes], separator: bytes | None) -> bool:
    """Whether all rows end with a separator, so that their last column is none."""
    return separator is not None and not any(split(row, separator)[-1].strip() for row in sample)


def _names_two(names: tuple[str, ...]) -> bool:
    """Whether at least two of x, y and z are among the names."""
    return len({"x", "y", "z"} & set(map(plain_name, names[:_MOST_NAMES]))) > 1


def _orders_otherwise(line: bytes) -> bool:
    """Whether a line has the letters x, y and z in another order, as in "zyx" or "z/y/x"."""
    orders = (b"".join(found.groups()).lower() for found in _LETTERS.finditer(line[:_LONGEST_LINE]))
    return any(order != b"xyz" and sorted(order) == [*b"xyz"] for order in orders)


def _mismatch(names: tuple[str, ...], columns: int) -> str:
    return f"names {len(names)} columns but has {columns} numbers per row"


def _candidates(header: bytes, separator: bytes | None) -> list[tuple[str, ...]]:
    """What a line's names may be: separated like the rows or otherwise; without a title such as "Fields:"."""
    bare = without_comment_sign(header)
    title = _TITLE.match(bare)
    for line in (bare[title.end() :], bare) if title and not is_no_coordinate(title[1].decode()) else (bare,):
        candidates = [_texts(split(line, separator))]
        if separator is None or separator not in line:
            words = line.strip().strip(b",;")
            for part in (words, _BEFORE_UNIT.sub(b"", words)):
                candidates.append(_texts(re.split(rb"[,;\s]+", part)))
        if any(find_columns(names).xyz is not None for names in candidates):
            break
    return candidates


def with_units(
    names: tuple[str, ...] | None, above: bytes, columns: int, named: int, name: str | Path
) -> tuple[str, ...] | None:
    """Names with the units of a line of their own, as in "x [mm]".

    Args:
        names: of all columns, or units themselves, if nothing else stands above the rows; None: there are none, which
            remains so if their units do not differ.
        above: the lines before the first row.
        columns: how many there are.
        named: how many of them the file has names for.
        name: the file, for the log.
    """
    different = dict.fromkeys(reversed(above.splitlines()))  # there may be millions, such as blank ones
    lines = (without_comment_sign(line) for line in different if len(line) <= MOST_ABOVE)
    units = next((_units(line) for line in lines if re.search(rb"[^\s\W]", line) and is_units(line)), None)
    if units is None:
        return names
    differ = len({found[1] for found in map(length, units) if found is not None}) > 1
    if names is None and differ and len(units) == columns:
        names = tuple(f"column {number}" if unit.strip("-") else "" for number, unit in enumerate(units, start=1))
    if names is not None and len(units) == named < columns:
        missing = [""] * (columns - named)
        units = [*missing, *units] if not names[0] else [*units, *missing]
    if names is None or len(units) != columns:
        if differ:
            logger.warning("%s: %d units for %d columns; they are not used", name, len(units), columns)
        return names
    return tuple(_with_unit(column, unit) for column, unit in zip(names, units, strict=True))


def _with_unit(column: str, unit: str) -> str:
    has_one = not unit.strip("- ") or re.search(r"[\[(/]", column)
    return column if has_one else f"{column} [{unit}]"


def _units(line: bytes) -> list[str]:
    cells = re.split(rb"[,;\t]" if re.search(rb"[,;\t]", line) else rb"\s+", line.strip(b" "))
    return [text.strip("'\" ").strip("[]()").lower() for text in _texts(cells)]


def _texts(cells: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(cell.decode("utf-8", errors="replace") for cell in cells)
