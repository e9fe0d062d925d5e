"""Extracts points and colours from a table of numbers, by column name if there are names, else by position."""

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.colors import colors_beside_points, colors_from_named, colors_from_unnamed
from pointad.scans.column_order import check_order, tell_reading
from pointad.scans.column_units import in_one_unit, tell_repeated, tell_unused_units
from pointad.scans.declared_count import check_declared_count
from pointad.scans.named_columns import alike, find_columns, is_no_coordinate, plain_name
from pointad.scans.other_formats import HEIGHT_MAP_REMEDY
from pointad.scans.reading_words import columns_read
from pointad.scans.row_numbers import without_row_numbers
from pointad.scans.scan_file import MOST_COLUMNS, ScanFile
from pointad.scans.text import TextTable, parse_table

logger = logging.getLogger(__name__)

_GRID = re.compile(rb"(?im)^(?:ncols[ \t]+\d+|DSAA)[ \t]*\r?$")  # of ArcGIS, of Surfer
_HEADER = 10_000  # bytes
_COLOURS = ("g", "b")  # r may also be a radius
_REMEDY = "name the columns x, y, z in a line above them"
_HEIGHT_MAP = f"{_REMEDY}, or, if it is a map of heights, see docs/formats.md, Height maps"


def read_text_scan(path: Path) -> ScanFile:
    """Read `.xyz`, `.txt`, `.csv`, `.asc` or `.pts`.

    Column names decide if there are any: x, y, z, optionally red, green, blue or r, g, b. Otherwise the first three
    columns, after any row numbers, are coordinates; three consecutive columns among the rest are colours if they cannot
    be anything else. A `.pts` file has the intensity before the colours.

    Raises:
        InputError: the file is not a table of numbers, its first columns cannot be coordinates, it has so many columns
            without names that it must be a map of heights, or a `.pts` file ends before its number of points.
    """
    table = parse_table(read_bytes(path), path)
    check_declared_count(table.above, len(table.values), path)
    if _GRID.search(table.above[:_HEADER]):
        raise InputError(path, "holds a grid of heights, without x and y", HEIGHT_MAP_REMEDY)
    tell_unused_units(table.above, table.names or (), path)
    named = table.names is not None
    if table.names is not None:
        columns = find_columns(table.names)
        if columns.xyz is not None:
            found: tuple[int, ...] | None = columns.colors
            colors = None if found is None else colors_from_named(table.values[:, found])
            nameless = [place for place in range(max(columns.xyz) + 1, len(table.names)) if not table.names[place]]
            if columns.colors is None and len(nameless) > 2:
                colors, place = colors_beside_points(table.values[:, nameless])
                found = None if place is None else tuple(nameless[place : place + 3])
            taken = [table.names[place] for place in columns.xyz]
            tell_repeated(table.names, columns.xyz, path)
            points = in_one_unit(table.values[:, columns.xyz], taken, path)
            return ScanFile(points, colors, columns=_said(table, columns.xyz, found if colors is not None else None))
    values = without_row_numbers(table.values, path)
    if values.shape[1] > MOST_COLUMNS:
        raise InputError(path, f"has rows of {values.shape[1]} numbers, none of them named x, y, z", _HEIGHT_MAP)
    points = values[:, :3]
    if table.names is not None:
        first = table.names[-values.shape[1] :][:3]
        _check_first_names(first, table.names, path)
        points = in_one_unit(points, first, path)
    else:
        check_order(values, path)
    is_pts = path.suffix.lower() == ".pts"
    colors, place = colors_beside_points(values[:, 3:], after_intensity=is_pts)
    if not named and not (is_pts and place == 1 and colors_from_unnamed(values[:, 3:6]) is None):
        tell_reading(values, place, path)
    first_column = table.values.shape[1] - values.shape[1]
    colors_at = None if place is None else range(first_column + 3 + place, first_column + 6 + place)
    return ScanFile(points, colors, columns=_said(table, range(first_column, first_column + 3), colors_at))


def _said(table: TextTable, coordinates: Iterable[int], colors: Iterable[int] | None) -> str:
    """How the columns were read, with their numbers in the file; those given count only columns with numbers."""
    names = table.file_names if any(table.file_names) else None
    taken = [table.places[place] for place in coordinates]
    said = columns_read(len(table.file_names), taken, [table.places[place] for place in colors or ()], names)
    return f"{said}; decimal commas" if table.decimal_comma else said


def _check_first_names(names: tuple[str, ...], every_name: tuple[str, ...], path: Path) -> None:
    are_colours = find_columns(every_name).colors is not None  # else "a, b, c" are three letters
    wrong = [name for name in names if is_no_coordinate(name) and (are_colours or plain_name(name) not in _COLOURS)]
    moved = [axis for name, axis in zip(names, "xyz", strict=True) if plain_name(name) in {*"xyz"} - {axis}]
    if wrong or moved:
        problem = f"has no columns x, y, z, and begins with {', '.join(repr(name) for name in names)}"
        raise InputError(path, problem, _REMEDY)
    others = alike(every_name)
    if others is not None and tuple(every_name[place] for place in others) != names:
        shown = ", ".join(every_name[place] for place in others)
        raise InputError(path, f"has no columns x, y, z, and {shown} are not the first three in this order", _REMEDY)
    logger.warning("%s: the columns %s are read as x, y, z", path, ", ".join(names))
