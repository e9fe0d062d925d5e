"""Says how a file was read: which of its numbers are coordinates or colours, and which are not used."""

from collections.abc import Collection, Sequence

from pointad.errors import shown
from pointad.scans.column_units import common_unit

_MOST_NAMED = 12  # columns in one list
_LONGEST_NAME = 40  # characters


def columns_read(
    count: int,
    coordinates: Sequence[int],
    colors: Sequence[int] = (),
    names: Sequence[str] | None = None,
    kind: str = "columns",
) -> str:
    """How a table was read, such as "x, y, z: columns 1, 2, 3 of 4; not used: 4".

    Args:
        count: how many columns the file has.
        coordinates: three of them, from 0, in the order x, y, z.
        colors: those of the colours, if there are any.
        names: of all `count` columns; "" for one without a name. None: there are no names.
        kind: what the columns are called in this format.
    """

    def listed(places: Collection[int]) -> str:
        shown = [_named(place, names) for place in list(places)[:_MOST_NAMED]]
        more = len(places) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")

    stated = "" if names is None else common_unit([names[place] for place in coordinates])
    unit = f", in {stated}" if stated else ""
    used = {*coordinates, *colors}
    unused = [place for place in range(count) if place not in used]
    parts = [f"x, y, z: {kind} {listed(coordinates)} of {count}{unit}"]
    if len(colors):
        parts.append(f"colours: {listed(colors)}")
    if unused:
        parts.append(f"not used: {listed(unused)}")
    return "; ".join(parts)


def _named(place: int, names: Sequence[str] | None) -> str:
    name = "" if names is None else shown(names[place].strip().strip("\"'").strip()[: _LONGEST_NAME + 1])
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1]}…"
    return f"{place + 1} ({name})" if name else str(place + 1)
