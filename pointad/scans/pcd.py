"""Reads and writes point clouds in the PCD format of the Point Cloud Library (https://pointclouds.org/documentation)."""

import io
import logging
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointad.errors import InputError, failures_of, reason
from pointad.files.atomic import atomic_path
from pointad.files.bounds import check_claim
from pointad.files.presence import is_file
from pointad.files.regular import regular_file_size
from pointad.scans.colors import colors_from_named
from pointad.scans.column_units import in_one_unit
from pointad.scans.declared_types import as_declared, is_unlike
from pointad.scans.pcd_header import PcdHeader, read_pcd_header
from pointad.scans.point_cloud import PointCloud
from pointad.scans.reading_words import columns_read
from pointad.scans.scan_file import ScanFile
from pointad.scans.surplus import check_surplus
from pointad.scans.text import parse_rows
from pointad.scans.text_encoding import LONGEST_MARK, in_utf8, wide_encoding
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

_LARGEST_COMPRESSION = 100  # LZF makes at most 264 bytes out of 3
_LONGEST_SIDE_RATIO = 4  # of a grid; spinning sensors write longer ones
_FIRST_LINE = "# .PCD v0.7 - Point Cloud Data file format"
_LONGEST_NOTE = 10_000  # bytes of a line
_REMEDY = "replace the file"


def read_pcd(path: str | Path) -> PointCloud:
    """Read all points of a `.pcd` file in file order, finite or not; a grid is flattened.

    Args:
        path: as in `read_pcd_scan`.

    Returns:
        Points (N, 3) float64, and colours (N, 3) uint8 if the file has them.

    Raises:
        InputError: as `read_pcd_scan`.
    """
    scan = read_pcd_scan(Path(path))
    return PointCloud(
        points=scan.points.reshape(-1, 3), colors=None if scan.colors is None else scan.colors.reshape(-1, 3)
    )


def read_pcd_scan(path: Path) -> ScanFile:
    """Read a `.pcd` file with its grid, if it has more than one row and is not more than four times as long as wide.

    Args:
        path: version 0.7 or older, `ascii`, `binary` or `binary_compressed`, with fields x, y, z of any case and type,
            and optionally rgb(a), r g b or red green blue.

    Returns:
        Points (N, 3) or (H, W, 3) float64, and colours of the same shape if the file has them.

    Raises:
        InputError: the file is missing, not a PCD file, or shorter than its header states. No memory is allocated for
            points that a truncated file only promises.
    """
    size = regular_file_size(path)
    with failures_of(path, "read", _REMEDY), path.open("rb") as stored:
        file: BinaryIO = stored
        if wide_encoding(stored.read(LONGEST_MARK)) is not None:
            stored.seek(0)
            content = in_utf8(stored.read(), path)
            file, size = io.BytesIO(content), len(content)
        file.seek(0)
        header = read_pcd_header(file, path)
        available = size - file.tell()
        records = _records(file, header, available, path)
    if not header.count:
        raise InputError(path, "holds no points", _REMEDY)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        points = np.empty((header.count, 3))
        for axis, name in enumerate(header.xyz):
            points[:, axis] = records[name]
    points = in_one_unit(points, header.xyz, path)
    colors = _colors(records, header)
    names = header.dtype.names or ()
    places = [names.index(name) for name in header.xyz]
    taken = () if colors is None else [names.index(name) for name in header.colors]
    said = columns_read(len(names), places, taken, names, "fields")
    grid = header.grid
    if grid is None:
        return ScanFile(points, colors, columns=said)
    if max(grid) > _LONGEST_SIDE_RATIO * min(grid):
        logger.warning(
            "%s: the grid of %d x %d points is too elongated for an organized scan; it is read as a point cloud",
            path,
            *grid,
        )
        return ScanFile(points, colors, columns=said)
    return ScanFile(points.reshape(*grid, 3), None if colors is None else colors.reshape(*grid, 3), columns=said)


def write_pcd(path: str | Path, points: np.ndarray, colors: np.ndarray | None = None, note: str | None = None) -> None:
    """Write a binary `.pcd` file, whole or not at all.

    Args:
        path: the file.
        points: (N, 3) numbers, stored as float32.
        colors: (N, 3) uint8.
        note: one line of ASCII for the header, as a comment; see `note_of_pcd`.

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
    first_lines = _FIRST_LINE if note is None else f"{_FIRST_LINE}\n# {note}"
    header = (
        f"{first_lines}\nVERSION 0.7\n"
        f"FIELDS {' '.join(fields)}\nSIZE {' '.join(['4'] * len(fields))}\nTYPE {' '.join(['F'] * len(fields))}\n"
        f"COUNT {' '.join(['1'] * len(fields))}\nWIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\n"
        f"POINTS {len(points)}\nDATA binary\n"
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(header.encode() + records.tobytes())


def note_of_pcd(path: Path) -> str | None:
    """The note that `write_pcd` wrote into a file; None if it has none, or cannot be read."""
    if not is_file(path):  # a pipe would be waited for
        return None
    try:
        with path.open("rb") as file:
            file.readline(_LONGEST_NOTE)
            line = file.readline(_LONGEST_NOTE).decode("ascii")
    except (OSError, ValueError):
        return None
    return line[2:-1] if line.startswith("# ") else None


def _records(file: BinaryIO, header: PcdHeader, available: int, path: Path) -> np.ndarray | dict[str, np.ndarray]:
    if header.data == "ascii":
        return _ascii_records(file, header, available, path)
    if header.data == "binary":
        return _binary_records(file, header, available, path)
    return _compressed_records(file, header, available, path)


def _binary_records(file: BinaryIO, header: PcdHeader, available: int, path: Path) -> np.ndarray:
    needed = header.count * header.dtype.itemsize
    if needed > available:
        raise InputError(path, f"declares {header.count} points but holds {available} of {needed} bytes", _REMEDY)
    content = file.read(needed)
    check_surplus(file.read(available - needed), header.count, header.dtype.itemsize, "points", path)
    return np.frombuffer(content, dtype=header.dtype)


def _ascii_records(file: BinaryIO, header: PcdHeader, available: int, path: Path) -> dict[str, np.ndarray]:
    # Every number takes at least a digit and a blank.
    if header.count * 2 * header.values_per_point > available + 1:
        raise InputError(path, f"declares {header.count} points but holds only {available} bytes of text", _REMEDY)
    rows = parse_rows(file.read(), path)
    if len(rows) != header.count:
        raise InputError(path, f"declares {header.count} points but holds {len(rows)}", _REMEDY)
    if rows.shape[1] != header.values_per_point:
        problem = f"has {rows.shape[1]} numbers in a row, expected {header.values_per_point} for its fields"
        raise InputError(path, problem, "name all columns in FIELDS, or export the file again")
    records = {}
    column = 0
    for name in header.dtype.names or ():
        field = header.dtype[name]
        width = int(np.prod(field.shape, dtype=int))
        if name in header.xyz:
            records[name] = rows[:, column]
        elif name in header.colors:
            values = rows[:, column : column + width].reshape(-1, *field.shape)
            records[name] = _ascii_colors(values, field.base, is_packed=len(header.colors) == 1)
        column += width
    unlike = [name for name in header.colors if is_unlike(records[name], header.dtype[name].base)]
    if unlike:
        message = "%s: declares whole numbers for %s that its type cannot hold; they are read as they are written"
        logger.warning(message, path, ", ".join(unlike))
    return records


def _ascii_colors(values: np.ndarray, declared: np.dtype, *, is_packed: bool) -> np.ndarray:
    if declared.kind == "f" and (_is_whole(values) or np.isnan(values).all()):
        return values
    if is_packed and declared.kind != "f" and are_whole(values) and np.abs(values).max(initial=0) < 2**32:
        return values.astype(np.int64).astype(np.uint32)  # four bytes, with or without a sign
    return as_declared(values, declared)


def _compressed_records(file: BinaryIO, header: PcdHeader, available: int, path: Path) -> dict[str, np.ndarray]:
    """The fields are stored one after another, each for all points, and compressed with LZF."""
    import imagecodecs  # only here: few files need it

    compressed, expanded = np.frombuffer(file.read(8).ljust(8, b"\0"), dtype="<u4").tolist()
    if compressed > available - 8 or expanded > compressed * _LARGEST_COMPRESSION:
        raise InputError(path, f"declares {expanded} bytes in {compressed} of {available}", _REMEDY)
    if expanded != header.count * header.dtype.itemsize:
        raise InputError(path, f"declares {header.count} points but {expanded} bytes", _REMEDY)
    check_claim(path, expanded, compressed)
    try:
        content = bytes(imagecodecs.lzf_decode(file.read(compressed), out=expanded)) if expanded else b""
    except MemoryError:
        raise
    except Exception as error:  # whatever its decoder raises
        raise InputError(path, f"is not readable as compressed PCD ({reason(error)})", _REMEDY) from error
    if len(content) != expanded:
        raise InputError(path, f"declares {expanded} bytes but {len(content)} could be read", _REMEDY)
    records, offset = {}, 0
    for name in header.dtype.names or ():
        field = header.dtype[name]
        values = np.frombuffer(
            content, dtype=field.base, count=header.count * field.itemsize // field.base.itemsize, offset=offset
        )
        records[name] = values.reshape(header.count, *field.shape)
        offset += header.count * field.itemsize
    return records


def _colors(records: np.ndarray | dict[str, np.ndarray], header: PcdHeader) -> np.ndarray | None:
    if not header.colors:
        return None
    values = [np.asarray(records[name]) for name in header.colors]
    if len(values) == 3:
        return colors_from_named(np.stack(values, axis=-1)) if all(channel.ndim == 1 for channel in values) else None
    packed = values[0]
    if packed.ndim == 2:
        return colors_from_named(packed) if packed.shape[1] in (3, 4) else None
    if packed.dtype.itemsize == 8 and _is_whole(packed):  # an ASCII file that stores them as whole numbers
        packed = packed.astype(np.uint32)
    if packed.dtype.itemsize != 4:
        return None
    # The four bytes are blue, green, red, alpha, whether the header calls them a float or an integer.
    packed = np.ascontiguousarray(packed).view(np.uint32)
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def _is_whole(values: np.ndarray) -> bool:
    """Whether numbers in a text are packed colours or channels as they are, not the bits of a float."""
    finite = np.isfinite(values).all()
    return bool(finite and values.max() >= 1 and values.min() >= 0 and (values == np.rint(values)).all())
