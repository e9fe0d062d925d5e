"""Finds coordinate and colour columns by name, in the same way for text, PCD and PLY files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pointad.scans.length_units import ENDINGS, FACTOR, GLUED

_ARRAYS = ("points", "xyz", "points_m_xyz", "position", "pos", "location", "coords", "coordinates")
_COORDINATES = (
    ("x", "y", "z"),
    *(  # columns of an array, as ParaView, pandas and MATLAB call them
        (f"{name}{sign}{first}", f"{name}{sign}{first + 1}", f"{name}{sign}{first + 2}")
        for first in (0, 1)
        for sign in ":_"
        for name in _ARRAYS
    ),
)
_COLORS = (
    ("red", "green", "blue"),
    ("r", "g", "b"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("color_r", "color_g", "color_b"),
    ("rf", "gf", "bf"),  # CloudCompare, 0 to 1
    *((f"{name}:0", f"{name}:1", f"{name}:2") for name in ("rgb", "rgba", "colors", "color")),  # ParaView
)
_LONGEST = 100  # characters of a name that may have a unit
_UNIT = re.compile(
    rf"\s*(?:\[(.*)\]|\((.*)\)|\{{(.*)\}}|<(.*)>|/\s*({FACTOR}\s*(?:{ENDINGS}))$|[-_/,]\s*(?:in_)?({ENDINGS})$)"
    rf"|\s+(?:in\s+)?((?:{FACTOR}\s*)?(?:{ENDINGS}))$|(?<=^[xyz])({GLUED})$"
)
_NEGATED = re.compile(r"(?:^|[\s_])[-−–][xyz]$")
_AFFIX = re.compile(r"^(point|pos|position|coord|coordinate|vertex)(?=[xyz]$)|(?<=^[xyz])coord(inate)?$")
_WORDS = frozenset(
    [
        "point",
        "points",
        "pt",
        "pos",
        "position",
        "coord",
        "coords",
        "coordinate",
        "coordinates",
        "vertex",
        "location",
        "loc",
        "axis",
        "value",
        "xyz",
        "punkt",
        "koordinate",
        "achse",
        "wert",
    ]
)
_NO_COORDINATES = re.compile(
    r"^(|unnamed.*|index|idx|id|no|nr|n|#|point_?id|time|timestamp|label|class|intensity|scalar|reflectance|"
    r"n_?[xyz]|normal_?[xyz]|r|g|b|red|green|blue|rf|gf|bf|diffuse_.*|row|col|column|line|pixel|u|v|"
    r"range|distance|azimuth|theta|phi|lat|latitude|lon|long|longitude|alpha|confidence|rgba?[:_][0-3]|colou?rs?[:_][0-3]|normals?[:_][0-2])$"
)


@dataclass(frozen=True)
class NamedColumns:
    """Positions of the relevant columns; None if no column has such a name."""

    xyz: tuple[int, int, int] | None
    colors: tuple[int, int, int] | None


def find_columns(names: Sequence[str]) -> NamedColumns:
    """Find coordinates and colours by name, ignoring case; of equal names the first one counts.

    Args:
        names: one per column, as in the file; units and words as in "X [mm]" and "pos_x" are permitted, where no
            columns are called just x, y, z.
    """
    bare = [_unquoted(name) for name in names]
    plain = [plain_name(name) for name in names]
    exact = _positions(bare, _COORDINATES[:1])
    return NamedColumns(exact or _positions(plain, _COORDINATES), _positions(plain, _COLORS))


def repeated(names: Sequence[str], taken: Sequence[int]) -> bool:
    """Whether other columns have the same names, in any case, as those that `find_columns` took for coordinates.

    Args:
        names: as for `find_columns`.
        taken: positions of the coordinates among them.
    """
    read = _unquoted if {_unquoted(names[place]) for place in taken} == set("xyz") else plain_name
    called = [read(name) for name in names]
    return any(called.count(called[place]) > 1 for place in taken)


def alike(names: Sequence[str]) -> tuple[int, int, int] | None:
    """Columns whose names differ in the letters x, y and z alone, such as px, py, pz; None if there are none.

    Normals do not count.
    """
    lower = [_unquoted(name) for name in names]
    for name in (name for name in lower if len(name) <= _LONGEST and not is_no_coordinate(name)):
        for at in (place for place, letter in enumerate(name) if letter == "x"):
            found = [f"{name[:at]}{axis}{name[at + 1 :]}" for axis in "xyz"]
            if all(other in lower for other in found):
                return lower.index(found[0]), lower.index(found[1]), lower.index(found[2])
    return None


def is_no_coordinate(name: str) -> bool:
    """Whether a column's name rules out a coordinate: a row number, a colour, a normal."""
    return _NO_COORDINATES.match(plain_name(name)) is not None


def plain_name(name: str) -> str:
    """A column's name in lower case, without quotes, unit and words such as "position" beside x, y, z."""
    bare = _unquoted(name)
    if len(bare) > _LONGEST:
        return bare
    bare = _UNIT.sub("", bare)
    if _NEGATED.search(bare):  # with the other sign it is another cloud
        return bare
    words = [word for word in re.split(r"[\s._:/-]+", bare) if word and word not in _WORDS]
    return words[0] if words in (["x"], ["y"], ["z"]) else _AFFIX.sub("", bare)


def stated_unit(name: str) -> str | None:
    """The unit in lower case that a column's name ends in, or other words in brackets; None if there is neither."""
    bare = _unquoted(name)
    match = _UNIT.search(bare) if len(bare) <= _LONGEST else None
    return None if match is None else next(part for part in match.groups() if part is not None).strip()


def _unquoted(name: str) -> str:
    return name.strip().strip("\"'").strip().lower()


def _positions(names: Sequence[str], families: Sequence[tuple[str, str, str]]) -> tuple[int, int, int] | None:
    for first, second, third in families:
        if first in names and second in names and third in names:
            return names.index(first), names.index(second), names.index(third)
    return None
