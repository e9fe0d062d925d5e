"""Point clouds from `.npy` and `.npz` files: finds the axis with the coordinates and the array with the points."""

import logging
import lzma
import math
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from pointad.errors import InputError
from pointad.files.npy_files import NpyHeader, read_npy, read_npy_header, read_npy_stream
from pointad.files.regular import regular_file_size
from pointad.files.zip_members import check_member, refuse_ambiguous_members
from pointad.scans.colors import colors_beside_points, colors_from_named
from pointad.scans.column_order import check_order, tell_reading
from pointad.scans.column_units import in_one_unit, tell_repeated
from pointad.scans.named_columns import NamedColumns, find_columns
from pointad.scans.other_formats import HEIGHT_MAP_REMEDY
from pointad.scans.reading_words import columns_read
from pointad.scans.row_numbers import without_row_numbers
from pointad.scans.scan_file import MOST_COLUMNS, MOST_POINTS, ScanFile

logger = logging.getLogger(__name__)

_POINT_NAMES = (
    *("points", "xyz", "pointcloud", "point_cloud", "pcd", "pc", "cloud", "vertices", "verts"),
    *("coords", "coordinates", "positions", "position", "pos", "pts", "data"),
)
_COLOR_NAMES = ("colors", "rgb", "colours", "color", "colour", "rgba", "image")
_PLACING_NAMES = (
    *("offset", "offsets", "shift", "origin", "translation", "centroid", "scale", "scales", "scaling", "scale_factor"),
    *("transform", "transformation", "pose", "rotation", "matrix", "affine"),
)
_MOST_PLACING = 16  # numbers of which such an array consists: a matrix at most
_ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError, struct.error),  # nonsensical names, sizes and dates
)
_UNNAMED_FIELDS = ("f0", "f1", "f2")  # numpy's own names; RealSense's vertices have them
_KINDS = "iufV"  # V: records with named fields
_MOST_TOLD = 20  # arrays that nobody asks for
_MOST_LOOKED_AT = 1000  # of these
_LONGEST_TOLD = 40  # characters of their names
_REMEDY = "give (points, 3), or (height, width, 3) for an organized scan"
_FIELDS_REMEDY = f"call the fields x, y and z, or {_REMEDY}"


def read_npy_scan(path: Path) -> ScanFile:
    """Read one array; see `scan_from_array`.

    Raises:
        InputError: the file is broken, or its array holds no points.
    """
    return scan_from_array(read_npy(path, _KINDS, MOST_POINTS * MOST_COLUMNS), None, path)


def read_npz_scan(path: Path) -> ScanFile:
    """Read the points from an archive of arrays: by name, or the only array that can hold points (`scan_from_array`).

    Only the arrays needed are read. Colours are found by name and must match the points in shape.

    Raises:
        InputError: the archive is broken or claims an excessive size, or none or several of its arrays can be the
            points.
    """
    regular_file_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            lower = _by_lower_name(archive)
            if {"x", "y", "z"} <= set(lower) and not set(_POINT_NAMES) & set(lower):
                taken = [lower[axis] for axis in "xyz"]
                values = _stacked([_read_member(archive, info, path) for info in taken], path)
            else:
                taken = [_points_member(archive, lower, path)]
                values = _read_member(archive, taken[0], path)
            named = next((lower[name] for name in _COLOR_NAMES if name in lower), None)
            colors = None if named is None else _read_member(archive, named, path)
            others = [info for info in archive.infolist() if info not in taken]
            scan = scan_from_array(values, colors, path)
            _tell_unread(archive, others, scan.points.size // 3, path)
    except _ARCHIVE_ERRORS as error:
        raise InputError(path, f"is not a readable npz file ({error})", "replace the file") from error
    alike = "x, y, z: three arrays" if len(taken) > 1 else scan.columns
    said = f"x, y, z: arrays {_listed(taken)}" if len(taken) > 1 else f"array {_listed(taken)}; {scan.columns}"
    if scan.colors is not None and named is not None:
        alike += "; colours: an array"
        said += f"; colours: array {_listed([named])}"
        others = [info for info in others if info is not named]
    if others:
        said += f"; arrays not used: {_listed(others)}"
    return replace(scan, columns=said, alike=alike)


def scan_from_array(values: np.ndarray, colors: np.ndarray | None, path: Path) -> ScanFile:
    """Find the axis of the coordinates and drop axes of length 1; irregularities are logged.

    Args:
        values: (N, C) or (H, W, C) with C from 3 to 12, planes first (C, N) or (C, H, W), either with a batch axis
            of one; x y z in the first three, perhaps colours behind them; or records with fields x, y, z.
        colors: one per point, in the same axis order; 8-bit, 16-bit or floats; alpha is ignored. None: no colours.
        path: the file, for errors and the log.

    Raises:
        InputError: no axis holds coordinates, several could, there are too many points, or colours do not match.
    """
    fields = values.dtype.names
    found = NamedColumns(None, None)
    if fields is not None:
        found = find_columns("xyz" if fields == _UNNAMED_FIELDS else fields)
        values, colors = _from_records(values, found, path)
    laid_out, kind = _coordinates_last(values, path)
    shape = laid_out.shape[:-1]
    total = np.prod(shape, dtype=object)
    if total > MOST_POINTS:
        raise InputError(path, f"holds {total} points", f"give a scan with at most {MOST_POINTS}")
    if laid_out.ndim == 3 and laid_out.dtype.itemsize == 1:
        raise InputError(path, f"is an 8-bit image of shape {values.shape}, not a scan", _REMEDY)
    count = laid_out.shape[-1]
    if fields is None:
        laid_out = without_row_numbers(laid_out, path)
        check_order(laid_out, path)
    points = laid_out[..., :3].astype(np.float64)
    place = None
    if colors is not None:
        fitting = _fitting_colors(colors, shape, path)
    else:
        fitting, place = colors_beside_points(laid_out[..., 3:])
        if fields is None:
            tell_reading(laid_out, place, path)
    if fields is not None and found.xyz is not None:
        said = columns_read(len(fields), found.xyz, () if fitting is None else found.colors or (), fields, "fields")
    else:
        first = count - laid_out.shape[-1]
        taken = () if place is None else range(first + 3 + place, first + 6 + place)
        said = columns_read(count, range(first, first + 3), taken, kind=kind)
    return ScanFile(points, fitting, columns=said)


def _coordinates_last(values: np.ndarray, path: Path) -> tuple[np.ndarray, str]:
    """(N, C) or (H, W, C), and what the C are called in the array as it was given."""
    shape = values.shape
    if values.ndim > 2 and values.shape[-1] == 1:
        values = values[..., 0]
    while values.ndim > 2 and 1 in values.shape[:-1]:
        values = values.squeeze(values.shape[:-1].index(1))
    if values.ndim not in (2, 3):
        raise InputError(path, f"has shape {shape}", _REMEDY)
    last = 3 <= values.shape[-1] <= MOST_COLUMNS
    first = 3 <= values.shape[0] <= MOST_COLUMNS
    if values.ndim == 3 and values.shape[0] == 3 and last and values.shape[-1] != 3:
        raise InputError(path, f"has shape {shape}, which is ambiguous: planes or rows", _REMEDY)
    if not last and not first:
        kind = "a depth map or an image without coordinates" if values.ndim == 2 else "neither points nor planes"
        raise InputError(path, f"has shape {shape}: {kind}", HEIGHT_MAP_REMEDY if values.ndim == 2 else _REMEDY)
    kind = "columns" if values.ndim == 2 else "channels"
    if not last:
        kind = "rows" if values.ndim == 2 else "planes"
        values = np.moveaxis(values, 0, -1)
    if values.shape != shape:
        logger.warning("%s: shape %s is read as %s", path, shape, values.shape)
    return values, kind


def _from_records(records: np.ndarray, columns: NamedColumns, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (..., 3) float64, and colours (..., 3) of their own type, if there are any; other fields do not matter."""
    names = records.dtype.names or ()
    wanted = [names[place] for place in (*(columns.xyz or ()), *(columns.colors or ()))]
    if columns.xyz is None or any(records.dtype[name].kind not in "iuf" for name in wanted):
        raise InputError(path, f"has the fields {', '.join(names)}, not x, y and z with a number each", _FIELDS_REMEDY)
    tell_repeated(names, columns.xyz, path)
    values = [records[name] for name in wanted]
    points = np.stack([axis.astype(np.float64) for axis in values[:3]], axis=-1)
    return in_one_unit(points, wanted[:3], path), np.stack(values[3:], axis=-1) if len(values) > 3 else None


def _fitting_colors(colors: np.ndarray, shape: tuple[int, ...], path: Path) -> np.ndarray | None:
    given = colors.shape
    while colors.ndim > len(shape) + 1 and 1 in colors.shape[:-1]:
        colors = colors.squeeze(colors.shape[:-1].index(1))
    if colors.ndim == len(shape) + 1 and colors.shape[0] in (3, 4) and colors.shape[1:] == shape:
        colors = np.moveaxis(colors, 0, -1)
    if colors.ndim == 2 and len(shape) == 2 and len(colors) == shape[0] * shape[1]:
        colors = colors.reshape(*shape, -1)
    if colors.shape[:-1] != shape or colors.shape[-1] not in (3, 4):
        problem = f"has colours of shape {given} for points of shape {(*shape, 3)}"
        raise InputError(path, problem, "give a colour for every point, or call that array otherwise")
    found = colors_from_named(colors)
    if found is None:
        logger.warning("%s: the colours are ignored: their range is neither 0 to 1, 0 to 255 nor 16-bit", path)
    return found


def _points_member(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], path: Path) -> zipfile.ZipInfo:
    named = next((members[name] for name in _POINT_NAMES if name in members), None)
    if named is not None:
        return named
    if len(members) == 1:
        return next(iter(members.values()))
    shapes = {name: _member_header(archive, info, path).shape for name, info in members.items()}
    fitting = [name for name, shape in shapes.items() if _may_be_points(shape) and name not in _COLOR_NAMES]
    if len(fitting) == 1:
        logger.warning("%s: the array %r is read as the points", path, fitting[0])
        return members[fitting[0]]
    held = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:12])
    remedy = "rename the array" if any(map(_may_be_points, shapes.values())) else HEIGHT_MAP_REMEDY
    raise InputError(path, f"has no array named points or xyz; found {held or 'nothing'}", remedy)


def _tell_unread(archive: zipfile.ZipFile, others: list[zipfile.ZipInfo], count: int, path: Path) -> None:
    """Log arrays beside the points that also hold points by their names, choose among them, or would place them."""
    told = 0
    for info in others[:_MOST_LOOKED_AT]:
        name = _name(info)
        try:
            header = _member_header(archive, info, path)
        except InputError:  # something else that nobody asks for
            continue
        if name.lower() in _POINT_NAMES and _holds(header, count):
            message = "%s: the array %r holds points too, but is not read"
        elif header.dtype.kind == "b" and math.prod(header.shape) == count:
            message = "%s: the array %r is not read: all points take part, True or False"
        elif name.lower() in _PLACING_NAMES and header.dtype.kind in "iuf" and math.prod(header.shape) <= _MOST_PLACING:
            message = "%s: the array %r is not read: the points are taken as they stand, neither scaled nor moved by it"
        else:
            continue
        logger.warning(message, path, name)
        told += 1
        if told == _MOST_TOLD:
            return


def _holds(header: NpyHeader, count: int) -> bool:
    """Whether an array may hold as many points: records, or numbers with three to twelve for each."""
    if header.dtype.names is not None:
        return math.prod(header.shape) == count
    return any(length * count == math.prod(header.shape) for length in header.shape if 3 <= length <= MOST_COLUMNS)


def _by_lower_name(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Arrays by their names in lower case; of equal ones that which is in lower case counts, else the first.

    Raises:
        ValueError: two have the very same name, of which NumPy reads the last one, or differ only in their folders.
    """
    refuse_ambiguous_members(archive)
    repeated = next((name for name, count in Counter(map(_name, archive.infolist())).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"it holds {repeated[:_LONGEST_TOLD]!r} in several folders")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in sorted(archive.infolist(), key=lambda info: not _name(info).islower()):
        found.setdefault(_name(info).lower(), info)
    return found


def _listed(members: list[zipfile.ZipInfo]) -> str:
    names = [repr(_name(info)[:_LONGEST_TOLD]) for info in members[:_MOST_TOLD]]
    more = len(members) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _name(member: zipfile.ZipInfo) -> str:
    return Path(member.filename).name.removesuffix(".npy")


def _may_be_points(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and 3 in (shape[-1], shape[0]) and sum(length > 3 for length in shape) == len(shape) - 1


def _member_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> NpyHeader:
    check_member(path, member)
    with archive.open(member) as file:
        return read_npy_header(cast(BinaryIO, file), f"{path}:{member.filename}")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
    check_member(path, member)
    with archive.open(member) as file:
        name = f"{path}:{member.filename}"
        return read_npy_stream(cast(BinaryIO, file), name, member.file_size, _KINDS, MOST_POINTS * MOST_COLUMNS)


def _stacked(axes: list[np.ndarray], path: Path) -> np.ndarray:
    if len({axis.shape for axis in axes}) != 1:
        raise InputError(path, f"has x, y, z of shapes {[axis.shape for axis in axes]}", _REMEDY)
    if axes[0].ndim not in (1, 2):
        raise InputError(path, f"has x, y, z of shape {axes[0].shape}", _REMEDY)
    return np.stack([axis.astype(np.float64) for axis in axes], axis=-1)
