"""Reads the table of a folder's samples, `samples.csv`: a row per scan, checked for what cannot be meant."""

import csv
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pointad.datasets.archive import TRAINING_SPLIT, is_good
from pointad.errors import InputError
from pointad.files.csv_tables import opened_table
from pointad.files.presence import identity_of

COLUMNS = ("scan", "rgb", "mask", "class", "species", "split", "id")
SPLITS = ("test", TRAINING_SPLIT, "validation")
"""What the column split may name, in any case; an empty cell is of every split."""

_REMEDY = f"give a CSV file with a row per scan and the columns {', '.join(COLUMNS)}, or --scan_pattern"
_PLACING = ("class", "split")  # without which a scan would be taken for one of others
_FIRST_ROW = 2  # below the names of the columns

Row = dict[str, str]


def read_sample_table(path: Path) -> list[Row]:
    """The rows by the names of the columns, which may be fewer than `COLUMNS`; splits are in lower case.

    A column without a name, as of row numbers, is ignored.

    Raises:
        InputError: the file is missing or no such table; a row lacks its scan, its species, or the class that others
            name, ends before its class or split, or names an unknown split; or one scan is listed as good and as
            defective, or in two splits.
    """
    if not os.path.lexists(path):
        raise InputError(path, "does not exist", _REMEDY)
    try:
        with opened_table(path) as (names, cells):
            columns = [name.lower() for name in names]
            _check_columns(columns, path)
            places = {name: columns.index(name) for name in COLUMNS if name in columns}  # the others have no names
            read = partial(_row, places, len(columns))
            rows = {line: read(row) for line, row in enumerate(cells, start=_FIRST_ROW) if row}
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(path, f"is not a table of samples ({error})", _REMEDY) from error
    if not rows:
        raise InputError(path, "lists no sample", _REMEDY)
    _check_rows(rows, path)
    _check_contradictions(rows, path)
    return list(rows.values())


def _check_columns(columns: Sequence[str], path: Path) -> None:
    wrong = [f"lacks the column {name}" for name in ("scan", "species") if name not in columns]
    wrong += [f"has the unknown column {name}" for name in columns if name and name not in COLUMNS]
    wrong += [f"has the column {name} twice" for name in COLUMNS if columns.count(name) > 1]
    if wrong:
        raise InputError(path, wrong[0], _REMEDY)


def _row(places: Mapping[str, int], columns: int, cells: Sequence[str]) -> Row:
    """A row by the names of the columns, which are at these places; its end may lack pictures, masks and ids."""
    if len(cells) > columns:
        raise ValueError(f"{cells[0]!r:.80} is followed by {len(cells) - 1} cells, for {columns} columns")
    lost = next((name for name in _PLACING if places.get(name, -1) >= len(cells)), None)
    if lost is not None:
        raise ValueError(f"the row of {cells[0]!r:.80} ends before its {lost}; leave the cell empty if none is meant")
    row = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
    if "split" in row:
        row["split"] = row["split"].lower()
    return row


def _check_rows(rows: Mapping[int, Row], path: Path) -> None:
    has_classes = any(row.get("class") for row in rows.values())
    for line, row in rows.items():
        if has_classes and not row["class"]:
            raise InputError(path, f"has no class in line {line}", "name the class in every row, or in none")
        if not row["scan"] or not row["species"]:
            raise InputError(path, f"has no scan or no species in line {line}", _REMEDY)
        split = row.get("split")
        if split and split not in SPLITS:
            remedy = f"use {', '.join(SPLITS)}, or leave it empty"
            raise InputError(path, f"has the unknown split {split!r:.80} in line {line}", remedy)


def _check_contradictions(rows: Mapping[int, Row], path: Path) -> None:
    """Refuse a scan that is good in one row and defective in another, or of one class in two splits.

    The same scan in two classes may be meant.
    """
    seen: dict[tuple[object, ...], tuple[int, object, str]] = {}
    for line, row in rows.items():
        scan, split = identity_of(path.parent / row["scan"]), row.get("split", "")
        stated = {(scan,): (is_good(row["species"]), row["species"]), (scan, row.get("class", "")): (split, split)}
        for key, (value, said) in stated.items():
            first, other, as_other = seen.setdefault(key, (line, value, said))
            if other != value and said and as_other:
                problem = f"lists {row['scan']} as {as_other} in line {first} and as {said} in line {line}"
                raise InputError(path, problem, "keep the row that is right")
