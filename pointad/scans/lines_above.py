"""Notices lines above a table's first row of numbers that were meant as rows, but hold something else in a cell."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pointad.errors import InputError
from pointad.scans.header_names import names_coordinates
from pointad.scans.text_cells import BLANK, COMMA, SEMICOLON, TAB, is_comment, is_numeric, split

logger = logging.getLogger(__name__)

_SHOWN = 60  # characters
_REMEDY = "write a number into each cell of its rows, and nan where one is missing"


def check_lines_above(above: Sequence[bytes], separator: bytes | None, columns: int, name: str | Path) -> None:
    """Refuse a line of mostly numbers, in as many columns as the rows, below the names of the columns; log others.

    Without names, such a line may be a title, such as "Resolution 0.1 0.1". Below names, one number suffices.

    Args:
        above: the lines above the first row.
        separator: between the cells of the rows.
        columns: how many the rows have.
        name: the file, for the log and for errors.

    Raises:
        InputError: the table begins with a row that is not all numbers.
    """
    named = False
    found: list[bytes] = []
    for line in above:
        if any(names_coordinates(line, one) for one in (BLANK, COMMA, SEMICOLON, TAB)):
            named = True
            continue
        cells = [] if is_comment(line) else split(line, separator)
        numbers = sum(map(is_numeric, cells))
        is_likely = 2 * numbers >= min(columns, 3)
        if len(cells) != columns or not (is_likely or (named and numbers)):
            continue
        if named and is_likely:
            raise InputError(name, f"begins with a row that is not all numbers ({_shown(line)})", _REMEDY)
        found.append(line)
    if found:
        message = "%s: %d lines with numbers above the first row are not read as points, such as %s"
        logger.warning(message, name, len(found), _shown(found[0]))


def _shown(line: bytes) -> str:
    return repr(line[:_SHOWN].decode("utf-8", errors="replace"))
