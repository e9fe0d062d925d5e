"""Extracts points and colours from a table of numbers, by column name if there are names, else by position."""

import logging
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.colors import colors_beside_points, colors_from_named
from pointad.scans.named_columns import find_columns, is_no_coordinate
from pointad.scans.scan_file import FEWEST_POINTS, ScanFile
from pointad.scans.text import TextTable, parse_table

logger = logging.getLogger(__name__)

_REMEDY = "name the columns x, y, z in a line above them"


def read_text_scan(path: Path) -> ScanFile:
    """Read `.xyz`, `.txt`, `.csv`, `.asc` or `.pts`.

    Column names decide if there are any: x, y, z, optionally red, green, blue or r, g, b. Otherwise the first three
    columns, after any row numbers, are coordinates; three consecutive columns among the rest are colours if they cannot
    be anything else. A `.pts` file has the intensity before the colours.

    Raises:
        InputError: the file is not a table of numbers, or the names of its first columns rule out coordinates.
    """
    table = parse_table(read_bytes(path), path)
    if table.names is not None:
        columns = find_columns(table.names)
        if columns.xyz is not None:
            colors = None if columns.colors is None else colors_from_named(table.values[:, columns.colors])
            return ScanFile(table.values[:, columns.xyz], colors)
        _check_first_names(table, path)
    values = _without_row_numbers(table.values, path)
    return ScanFile(values[:, :3], colors_beside_points(values[:, 3:], after_intensity=path.suffix.lower() == ".pts"))


def _check_first_names(table: TextTable, path: Path) -> None:
    names = (table.names or ())[:3]
    wrong = [name for name in names if is_no_coordinate(name)]
    if wrong:
        problem = f"has no columns x, y, z, and begins with {', '.join(repr(name) for name in names)}"
        raise InputError(path, problem, _REMEDY)
    logger.warning("%s: the columns %s are read as x, y, z", path, ", ".join(names))


def _without_row_numbers(values: np.ndarray, path: Path) -> np.ndarray:
    """Drop a first column that counts the rows, unless only two others would be left."""
    if values.shape[1] < 4 or len(values) < FEWEST_POINTS or values[0, 0] not in (0, 1):
        return values
    if not (values[:, 0] == np.arange(len(values)) + values[0, 0]).all():
        return values
    logger.warning("%s: the first column counts the rows and is ignored", path)
    return values[:, 1:]
