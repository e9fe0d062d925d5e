"""Brings coordinates to one unit where the names of their columns, or a line below them, state different ones."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.length_units import has_no_length, length
from pointad.scans.named_columns import repeated, stated_unit

logger = logging.getLogger(__name__)

_UNMISTAKABLE = frozenset(
    ["nm", "um", "\u00b5m", "\u03bcm", "mm", "cm", "km", "inch", "inches", "mil", "micron", "microns"]
)
_MOST_ABOVE = 10_000  # bytes
_REMEDY = "give x, y and z in one unit"


def tell_unused_units(above: bytes, names: Sequence[str], path: Path) -> None:
    """Log several units of length in the lines above a table's rows, if the names of its columns state none.

    Args:
        above: these lines.
        names: of the columns; may be empty.
        path: the file, for the log.
    """
    if any(length(stated_unit(name) or "") for name in names):
        return
    words = re.split(r"[^\w\u00b5\u03bc]+|_", above[:_MOST_ABOVE].decode("utf-8", errors="replace").lower())
    found = {unit: None for unit, _ in filter(None, map(length, set(words) & _UNMISTAKABLE))}
    if len(found) > 1:
        message = (
            "%s: %s stand above the rows, but the column names state no known unit; x, y and z are assumed to have one"
        )
        logger.warning(message, path, " and ".join(sorted(found)))


def tell_repeated(names: Sequence[str], taken: Sequence[int], path: Path) -> None:
    """Log that other columns are called like those of the coordinates.

    Args:
        names: of all columns.
        taken: positions of the coordinates among them.
        path: the file, for the log.
    """
    if repeated(names, taken):
        shown = ", ".join(names[place] for place in taken)
        logger.warning("%s: has several columns called %s; the first of each are read", path, shown)


def common_unit(names: Sequence[str]) -> str:
    """The unit in which `in_one_unit` gives coordinates of these names; empty if they state none."""
    known = [found for found in (length(stated_unit(name) or "") for name in names) if found is not None]
    return known[0][0] if known else ""


def in_one_unit(points: np.ndarray, names: Sequence[str], path: Path) -> np.ndarray:
    """Convert y and z to the unit of x if the names of the columns state different units of length; logged.

    Names that state no unit, or words that are none, are taken to be in the same unit; words, and a unit of z alone,
    are logged. If no unit of length is stated, but others, or none, beside pixels or degrees, this is logged too.

    Args:
        points: (..., 3) floating point.
        names: of the three columns, as in the file: "X [mm]", "z/um", "y (m)"; or their units alone, in brackets.
        path: the file, for errors and the log.

    Returns:
        The same array if there is nothing to convert, otherwise a copy.

    Raises:
        InputError: one column is in a unit of length and another in pixels or degrees, or two are in different units
            and the third states none.
    """
    stated = [stated_unit(name) or "" for name in names]
    lengths = [length(unit) for unit in stated]
    known = [found for found in lengths if found is not None]
    without = [unit for unit in stated if unit and has_no_length(unit)]
    if not known:
        if without and len(set(stated)) > 1:
            said = (f"in {unit!r}" if unit else "without a unit" for unit in stated)
            logger.warning("%s: x is %s, y %s and z %s; all are read as they are", path, *said)
        return points
    if without:
        raise InputError(path, f"has coordinates in {known[0][0]} and in {without[0]}", _REMEDY)
    if len({metres for _, metres in known}) == 1:
        words = [unit for unit, found in zip(stated, lengths, strict=True) if unit and found is None]
        if words:
            message = "%s: has coordinates in %s and in %r, which is not a known unit; all are assumed to be in %s"
            logger.warning(message, path, known[0][0], words[0], known[0][0])
        elif len(known) < 3 and lengths[2] is not None and lengths[0] is None:
            stating, others = ("y and z state their", "x is") if lengths[1] else ("z states its", "x and y are")
            message = "%s: only %s unit, %s; %s assumed to have it too"
            logger.warning(message, path, stating, lengths[2][0], others)
        return points
    if len(known) < 3:
        raise InputError(
            path, f"has coordinates in {' and '.join(unit for unit, _ in known)}, and one without", _REMEDY
        )
    unit, metres = known[0]
    logger.warning("%s: x is in %s, y in %s and z in %s; all are read in %s", path, *(u for u, _ in known), unit)
    return points * (np.array([found for _, found in known]) / metres)
