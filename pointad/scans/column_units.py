"""Brings coordinates to one unit where the names of their columns, or a line below them, state different ones."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.named_columns import MICRO, stated_unit

logger = logging.getLogger(__name__)

_LENGTHS = tuple(
    (re.compile(pattern), unit, metres)
    for pattern, unit, metres in (
        ("nm|nanomet(?:er|re)s?", "nm", 1e-9),
        (f"{MICRO}m|microns?|micromet(?:er|re)s?", "um", 1e-6),
        ("mm|millimet(?:er|re)s?", "mm", 1e-3),
        ("cm|centimet(?:er|re)s?", "cm", 1e-2),
        ("m|met(?:er|re)s?", "m", 1.0),
        ("in|inch|inches", "in", 0.0254),
        ("ft|feet|foot", "ft", 0.3048),
    )
)
_WITHOUT_LENGTH = re.compile("px|pixels?|samples?|deg|degrees?|\u00b0|rad")
_REMEDY = "give x, y and z in one unit"


def in_one_unit(points: np.ndarray, names: Sequence[str], path: Path) -> np.ndarray:
    """Convert y and z to the unit of x if the names of the columns state different units of length; logged.

    Names that state no unit, or words that are none, are taken to be in the same unit; if only some state one, this is
    logged.

    Args:
        points: (..., 3) floating point.
        names: of the three columns, as in the file: "X [mm]", "z/um", "y (m)"; or their units alone, in brackets.
        path: the file, for errors and the log.

    Returns:
        The same array if there is nothing to convert, otherwise a copy.

    Raises:
        InputError: one column is in a unit of length and another in pixels or degrees.
    """
    stated = [stated_unit(name) for name in names]
    lengths = [None if unit is None else _length(unit) for unit in stated]
    known = [length for length in lengths if length is not None]
    if not known:
        return points
    others = [unit for unit in stated if unit is not None and _WITHOUT_LENGTH.fullmatch(unit)]
    if others:
        raise InputError(path, f"has coordinates in {known[0][0]} and in {others[0]}", _REMEDY)
    if len({metres for _, metres in known}) == 1:
        if len(known) < 3 and lengths[2] is not None and lengths[0] is None:
            logger.warning("%s: z is said to be in %s; x and y are taken to be in it too", path, lengths[2][0])
        return points
    if len(known) < 3:
        raise InputError(
            path, f"has coordinates in {' and '.join(unit for unit, _ in known)}, and one without", _REMEDY
        )
    unit, metres = known[0]
    logger.warning("%s: x is in %s, y in %s and z in %s; all are read in %s", path, *(u for u, _ in known), unit)
    return points * (np.array([length for _, length in known]) / metres)


def _length(unit: str) -> tuple[str, float] | None:
    return next(((name, metres) for pattern, name, metres in _LENGTHS if pattern.fullmatch(unit)), None)
