"""Understands units of length as names of columns state them."""

import re

MICRO = "[u\u00b5\u03bc\ufffd]"  # both letters of Unicode, and what becomes of the one of Latin-1
_SHORT = f"pm|nm|{MICRO}m|mm|cm|dm|km|m"
_LENGTHS = tuple(
    (re.compile(pattern), unit, metres)
    for pattern, unit, metres in (
        ("pm|picomet(?:er|re)s?", "pm", 1e-12),
        ("\u00e5|\u212b|a\u030a|[a\u00e5]ngstr[o\u00f6]ms?", "angstrom", 1e-10),
        ("nm|nanomet(?:er|re)s?", "nm", 1e-9),
        (f"{MICRO}m|[\u00b5\u03bc]|microns?|micromet(?:er|re)s?", "um", 1e-6),
        ("mils?|thous?", "mil", 25.4e-6),
        ("mm|millimet(?:er|re)s?", "mm", 1e-3),
        ("cm|centimet(?:er|re)s?", "cm", 1e-2),
        ("dm|decimet(?:er|re)s?", "dm", 0.1),
        ("m|met(?:er|re)s?", "m", 1.0),
        ("km|kilomet(?:er|re)s?", "km", 1e3),
        ("in|inch|inches|[\"\u2033]|''", "in", 0.0254),
        ("ft|feet|foot|['\u2032]", "ft", 0.3048),
        ("yds?|yards?", "yd", 0.9144),
    )
)
_FACTOR = re.compile(r"(?:(\d+)/)?(10\^[+-]?\d+|\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*[*x\u00b7\u00d7]?\s*(?=\D)")
_LONGEST = 40  # characters of a unit
_WITHOUT_LENGTH = re.compile(
    "px|pix|pixels?|vox|voxels?|samples?|counts?|cts|digits?|dn|lsb|adc|steps?|ticks?|frames?|lines?|rows?|col(?:umn)?s?|"
    "index|idx|deg|degrees?|\u00b0|m?rad|grad|gon|arcmin|arcsec|%|percent|m?s|sec|seconds?|m?v|volts?|db|hz"
)
_WORDS = "mil|thou|inch|inches|in|ft|yd|microns?|(?:nano|micro|milli|centi|deci|kilo)?met(?:er|re)s?|px|pixels?|deg"
ENDINGS = f"{_SHORT}|{_WORDS}"
"""A pattern of units in lower case that a name may end in, behind a sign or a blank."""
FACTOR = r"(?:10\^[+-]?\d+|\d+(?:[.,]\d+)?e[+-]?\d+|\d+[.,]\d+|1/\d+|10+)"
"""A pattern of numbers in front of these that are factors, not numbers of points or columns."""
GLUED = _SHORT
"""A pattern of those that may follow x, y or z directly."""


def length(unit: str) -> tuple[str, float] | None:
    """A unit's name and its metres, such as ("mm", 0.001), possibly with a factor, as in "0.1 mm"; None if it is none.

    Args:
        unit: in lower case.
    """
    unit = unit.strip()
    if len(unit) > _LONGEST:
        return None
    number = _FACTOR.match(unit)
    factor = 1.0 if number is None else _factor(number[1], number[2])
    bare = unit[number.end() :] if number else unit
    known = next(((name, metres) for pattern, name, metres in _LENGTHS if pattern.fullmatch(bare)), None)
    if known is None or not 1e-15 < factor < 1e15:
        return None
    return known if number is None else (unit, factor * known[1])


def has_no_length(unit: str) -> bool:
    """Whether this is a unit of something else, such as pixels or degrees."""
    return _WITHOUT_LENGTH.fullmatch(unit.strip()) is not None


def _factor(numerator: str | None, number: str) -> float:
    if number.startswith("10^"):
        value = 10.0 ** min(max(int(number[3:]), -99), 99)
    else:
        value = float(number.replace(",", "."))
    if numerator is None:
        return value
    return float(numerator) / value if value else 0.0
