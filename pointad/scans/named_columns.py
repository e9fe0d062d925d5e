"""Finds coordinate and colour columns by name, in the same way for text, PCD and PLY files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COORDINATES = (
    ("x", "y", "z"),
    ("points:0", "points:1", "points:2"),  # ParaView
    ("points_0", "points_1", "points_2"),
)
_COLORS = (
    ("red", "green", "blue"),
    ("r", "g", "b"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ("color_r", "color_g", "color_b"),
    ("rf", "gf", "bf"),  # CloudCompare, 0 to 1
    *((f"{name}:0", f"{name}:1", f"{name}:2") for name in ("rgb", "rgba", "colors", "color")),  # ParaView
)
_UNIT = re.compile(r"\s*(\[.*\]|\(.*\)|[_/ ](nm|mm|cm|m|[uµ\u03bc\ufffd]m|inch|in|ft))\s*$")
_AFFIX = re.compile(r"^(point|pos|position|coord|coordinate|vertex)[._ ]?(?=[xyz]$)|(?<=^[xyz])[._ ]?coord(inate)?$")
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
        names: one per column, as in the file; units as in "X [mm]" are permitted.
    """
    plain = [plain_name(name) for name in names]
    return NamedColumns(_positions(plain, _COORDINATES), _positions(plain, _COLORS))


def is_no_coordinate(name: str) -> bool:
    """Whether a column's name rules out a coordinate: a row number, a colour, a normal."""
    return _NO_COORDINATES.match(plain_name(name)) is not None


def plain_name(name: str) -> str:
    """A column's name in lower case, without quotes and unit."""
    bare = _UNIT.sub("", name.strip().strip("\"'").strip().lower())
    return _AFFIX.sub("", bare)


def _positions(names: Sequence[str], families: Sequence[tuple[str, str, str]]) -> tuple[int, int, int] | None:
    for first, second, third in families:
        if first in names and second in names and third in names:
            return names.index(first), names.index(second), names.index(third)
    return None
