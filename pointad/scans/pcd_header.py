"""The header of a PCD file: the fields of its points, how many there are, on which grid, and how they are stored."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointad.errors import InputError
from pointad.scans.column_units import tell_repeated
from pointad.scans.named_columns import find_columns
from pointad.scans.scan_file import MOST_POINTS

logger = logging.getLogger(__name__)

_LONGEST_HEADER = 1000  # lines
_MOST_BYTES = 100_000  # of one point
_OTHER_NAMES = {"COLUMNS": "FIELDS"}
_TYPES = {"F": "f", "I": "i", "U": "u"}
_REMEDY = "replace the file"


@dataclass(frozen=True)
class PcdHeader:
    """The content of the lines before the points."""

    dtype: np.dtype  # one field per channel; repeated names get a numeric suffix
    xyz: tuple[str, str, str]  # the fields of the coordinates
    colors: tuple[str, ...]  # three fields, or one with packed colours, or none
    count: int  # points
    grid: tuple[int, int] | None  # (height, width) of an organized point cloud
    data: str  # ascii, binary or binary_compressed

    @property
    def values_per_point(self) -> int:
        """How many numbers a line of an ASCII file has."""
        return sum(int(np.prod(self.dtype[name].shape, dtype=int)) for name in self.dtype.names or ())


def read_pcd_header(file: BinaryIO, path: Path) -> PcdHeader:
    """Read up to the first byte of the points.

    Raises:
        InputError: it is not a PCD header, or declares more points than are permitted.
    """
    entries: dict[str, list[str]] = {}
    for keyword, words in _entries(file):
        if entries.setdefault(keyword, words) != words:
            raise InputError(path, f"has two lines {keyword} in its header, which differ", "remove one of them")
    try:
        names = entries["FIELDS"]
        sizes, types = entries["SIZE"], entries["TYPE"]
        repeats = [int(word) for word in entries.get("COUNT", ["1"] * len(names))]
        width, height = (int(entries.get(side, ["1"])[0]) for side in ("WIDTH", "HEIGHT"))
        count = int(entries["POINTS"][0]) if "POINTS" in entries else int(entries["WIDTH"][0]) * height
        data = entries["DATA"][0].lower()
        fields = zip(names, types, sizes, repeats, strict=True)
        dtype = _record_type([(n, f"<{_TYPES[k.upper()]}{int(s)}", r) for n, k, s, r in fields])
    except (KeyError, IndexError, ValueError, TypeError) as error:
        said = f"it lacks {error.args[0]}" if isinstance(error, KeyError) else error
        raise InputError(path, f"has no readable PCD header ({said})", _REMEDY) from error
    present = dtype.names or ()
    columns = find_columns(present)
    if columns.xyz is None or any(dtype[present[place]].shape for place in columns.xyz):
        counts = zip(names, repeats, strict=True)
        counted = (name if repeat == 1 else f"{name} (COUNT {repeat})" for name, repeat in counts)
        raise InputError(path, f"has no fields x, y, z with a number each; found {' '.join(counted)}", _REMEDY)
    coordinates = find_columns(names).xyz
    if coordinates is not None:
        tell_repeated(names, coordinates, path)
    if count < 0 or data not in ("ascii", "binary", "binary_compressed"):
        raise InputError(path, f"declares {count} points stored as {data!r}", _REMEDY)
    if count > MOST_POINTS:
        raise InputError(path, f"declares {count} points", f"give a scan with at most {MOST_POINTS}")
    x, y, z = (present[place] for place in columns.xyz)
    if columns.colors is not None:
        colors = tuple(present[place] for place in columns.colors)
    else:
        colors = tuple(name for name in present if name.lower() in ("rgb", "rgba"))[:1]
    if "WIDTH" in entries and width * height != count:
        message = "%s: declares %d points but %d x %d of them; %d are read, without a grid"
        logger.warning(message, path, count, width, height, count)
    is_grid = width > 1 and height > 1 and width * height == count
    return PcdHeader(dtype, (x, y, z), colors, count, (height, width) if is_grid else None, data)


def _entries(file: BinaryIO) -> Iterator[tuple[str, list[str]]]:
    for _ in range(_LONGEST_HEADER):
        line = file.readline(10_000)
        if not line:
            return
        words = line.decode("ascii", errors="replace").split()
        if not words or words[0].startswith("#"):
            continue
        keyword = words[0].lstrip("\ufeff\ufffd").upper()  # a byte-order mark
        yield _OTHER_NAMES.get(keyword, keyword), words[1:]
        if keyword == "DATA":
            return


def _record_type(fields: list[tuple[str, str, int]]) -> np.dtype:
    """Fields with COUNT 0 take no space; padding fields are all called "_", but numpy needs distinct names."""
    if any(repeat < 0 for _, _, repeat in fields):
        raise ValueError("COUNT is negative")
    if sum(repeat * int(kind[2:]) for _, kind, repeat in fields) > _MOST_BYTES:
        raise ValueError(f"a point takes more than {_MOST_BYTES} bytes")
    named: list[tuple] = []
    taken: set[str] = set()
    for position, (name, kind, repeat) in enumerate(fields):
        if repeat == 0:
            continue
        unique = f"{name}:{position}" if name in taken or name == "_" else name
        taken.add(unique)
        named.append((unique, kind) if repeat == 1 else (unique, kind, (repeat,)))
    return np.dtype(named)
