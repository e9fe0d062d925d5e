"""Reads and writes point clouds in the PCD format of the Point Cloud Library (https://pointclouds.org/documentation)."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.scans.point_cloud import PointCloud
from pointad.scans.text import parse_rows

logger = logging.getLogger(__name__)

_LONGEST_HEADER = 100  # lines
_LARGEST_COMPRESSION = 100  # LZF makes at most 264 bytes out of 3
_KINDS = {"F": "f", "I": "i", "U": "u"}
_REMEDY = "replace the file"


@dataclass(frozen=True)
class _Header:
    dtype: np.dtype  # one field per channel
    count: int  # points
    data: str  # ascii, binary or binary_compressed


def read_pcd(path: str | Path) -> PointCloud:
    """Read all points of a `.pcd` file, in its order, whether or not they are finite.

    Args:
        path: version 0.7 or older, `ascii`, `binary` or `binary_compressed`, with fields x, y, z and perhaps rgb(a).

    Returns:
        Points (N, 3) float64, and colours (N, 3) uint8 where the file has them.

    Raises:
        InputError: the file is missing, is no such file, or is shorter than its header says. Nothing is allocated for
            points that a short file only promises.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = _read_header(file, path)
            available = size - file.tell()
            if header.data == "ascii":
                return _cloud(_ascii_records(file, header, available, path), path)
            if header.data == "binary":
                return _cloud(_binary_records(file, header, available, path), path)
            _check_compressed_sizes(file.read(8), header, available, path)
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", "check the path") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", _REMEDY) from error
    return _read_compressed(path, header)


def write_pcd(path: str | Path, points: np.ndarray, colors: np.ndarray | None = None) -> None:
    """Write a binary `.pcd` file, whole or not at all.

    Args:
        path: the file.
        points: (N, 3) numbers, stored as float32.
        colors: (N, 3) uint8.

    Raises:
        InputError: the file cannot be written.
    """
    fields = ["x", "y", "z"] + (["rgb"] if colors is not None else [])
    records = np.zeros(len(points), dtype=[(name, "<u4" if name == "rgb" else "<f4") for name in fields])
    for axis, name in enumerate("xyz"):
        records[name] = points[:, axis]
    if colors is not None:
        red, green, blue = (colors[:, channel].astype(np.uint32) for channel in range(3))
        records["rgb"] = red << 16 | green << 8 | blue
    header = (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n"
        f"FIELDS {' '.join(fields)}\nSIZE {' '.join(['4'] * len(fields))}\nTYPE {' '.join(['F'] * len(fields))}\n"
        f"COUNT {' '.join(['1'] * len(fields))}\nWIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\n"
        f"POINTS {len(points)}\nDATA binary\n"
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(header.encode() + records.tobytes())


def _read_header(file: BinaryIO, path: Path) -> _Header:
    entries: dict[str, list[str]] = {}
    for _ in range(_LONGEST_HEADER):
        line = file.readline(10_000)
        words = line.decode("ascii", errors="replace").split()
        if not line:
            break
        if not words or words[0].startswith("#"):
            continue
        entries[words[0].upper()] = words[1:]
        if words[0].upper() == "DATA":
            break
    try:
        names, sizes, kinds = entries["FIELDS"], entries["SIZE"], entries["TYPE"]
        repeats = [int(word) for word in entries.get("COUNT", ["1"] * len(names))]
        if "POINTS" in entries:
            count = int(entries["POINTS"][0])
        else:
            count = int(entries["WIDTH"][0]) * int(entries["HEIGHT"][0])
        data = entries["DATA"][0].lower()
        fields = zip(names, kinds, sizes, repeats, strict=True)
        dtype = _record_type([(n, f"<{_KINDS[k.upper()]}{int(s)}", r) for n, k, s, r in fields])
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(path, f"has no readable PCD header ({error})", _REMEDY) from error
    if not {"x", "y", "z"} <= set(dtype.names or ()):
        raise InputError(path, f"has no x, y, z among its fields {' '.join(names)}", _REMEDY)
    if count < 0 or data not in ("ascii", "binary", "binary_compressed"):
        raise InputError(path, f"promises {count} points stored as {data!r}", _REMEDY)
    return _Header(dtype=dtype, count=count, data=data)


def _record_type(fields: list[tuple[str, str, int]]) -> np.dtype:
    """Padding fields are all called "_": numpy wants different names."""
    if any(not 0 < repeat <= 1000 for _, _, repeat in fields):
        raise ValueError("COUNT out of range")
    named = []
    for position, (name, kind, repeat) in enumerate(fields):
        unique = f"_{position}" if name == "_" else name
        named.append((unique, kind) if repeat == 1 else (unique, kind, (repeat,)))
    return np.dtype(named)


def _binary_records(file: BinaryIO, header: _Header, available: int, path: Path) -> np.ndarray:
    needed = header.count * header.dtype.itemsize
    if needed > available:
        raise InputError(path, f"promises {header.count} points but holds {available} of {needed} bytes", _REMEDY)
    return np.frombuffer(file.read(needed), dtype=header.dtype)


def _ascii_records(file: BinaryIO, header: _Header, available: int, path: Path) -> np.ndarray:
    if header.count * 2 * len(header.dtype.names or ()) > available + 1:
        raise InputError(path, f"promises {header.count} points but holds only {available} bytes of text", _REMEDY)
    rows = parse_rows(file.read(), path)
    if len(rows) != header.count:
        raise InputError(path, f"promises {header.count} points but holds {len(rows)}", _REMEDY)
    records = np.zeros(header.count, dtype=header.dtype)
    column = 0
    for name in header.dtype.names or ():
        width = int(np.prod(header.dtype[name].shape, dtype=int))
        if column + width > rows.shape[1]:
            raise InputError(path, f"has {rows.shape[1]} values a point, too few for its fields", _REMEDY)
        values = rows[:, column] if width == 1 else rows[:, column : column + width]
        with np.errstate(invalid="ignore", over="ignore"):
            records[name] = values
        column += width
    return records


def _cloud(records: np.ndarray, path: Path) -> PointCloud:
    if not len(records):
        raise InputError(path, "holds no points", _REMEDY)
    points = np.stack([records[name].astype(np.float64) for name in "xyz"], axis=1)
    return PointCloud(points=points, colors=_colors(records))


def _colors(records: np.ndarray) -> np.ndarray | None:
    name = next((name for name in ("rgb", "rgba") if name in (records.dtype.names or ())), None)
    if name is None or records.dtype[name].itemsize != 4 or records.dtype[name].shape:
        return None
    # The four bytes are blue, green, red, alpha, whether the header calls them a float or an integer.
    packed = np.ascontiguousarray(records[name]).view(np.uint32)
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def _check_compressed_sizes(sizes: bytes, header: _Header, available: int, path: Path) -> None:
    """Refuse what the two numbers before the compressed bytes promise and the file cannot hold."""
    compressed, expanded = np.frombuffer(sizes.ljust(8, b"\0"), dtype="<u4").tolist()
    if compressed > available - 8 or expanded > compressed * _LARGEST_COMPRESSION:
        raise InputError(path, f"promises {expanded} bytes in {compressed} of {available}", _REMEDY)
    if expanded != header.count * header.dtype.itemsize:
        raise InputError(path, f"promises {header.count} points but {expanded} bytes", _REMEDY)


def _read_compressed(path: Path, header: _Header) -> PointCloud:
    import open3d  # only here: importing it takes seconds

    with open3d.utility.VerbosityContextManager(open3d.utility.VerbosityLevel.Error):
        cloud = open3d.io.read_point_cloud(path, format="pcd")
    points = np.array(cloud.points)
    if len(points) != header.count or not len(points):
        raise InputError(path, f"promises {header.count} points but {len(points)} could be read", _REMEDY)
    colors = np.rint(np.array(cloud.colors) * 255).astype(np.uint8) if cloud.has_colors() else None
    return PointCloud(points=points, colors=colors)
