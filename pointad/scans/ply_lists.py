"""Reads the elements of `.ply` files that have lists of varying length, through plyfile."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
from plyfile import PlyData

from pointad.compute.silence import without_warnings
from pointad.errors import InputError
from pointad.scans.declared_types import as_declared
from pointad.scans.ply_header import PlyElement, PlyHeader, PlyProperty

Columns = dict[str, np.ndarray]
"""Properties by name; lists are (N, length) or, of varying length, (N,) of arrays."""

_MOST_VARYING = 3_000_000  # rows with lists of varying length; each takes about 400 bytes of memory
_MOST_WALKED = 1_000_000  # numbers and lists; a second
_NAMES = {"i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float"}
_LENGTHS = {**_NAMES, "i1": "uchar", "i2": "ushort", "i4": "uint"}  # of a negative one, plyfile takes all that follows
_WIDE = ("i8", "u8")  # which plyfile does not know


def read_varying_lists(body: bytes, element: PlyElement, header: PlyHeader, path: Path) -> tuple[Columns, int]:
    """The columns of the element with whose rows a body begins, and how many bytes follow them; 0 in a text.

    Raises:
        InputError: it has too many rows, or lists whose lengths are numbers of 64 bits.
        PlyParseError: the rows are not as the header declares them.
    """
    if element.count > _MOST_VARYING:
        problem = f"holds {element.count} rows of {element.name} with lists of varying length"
        raise InputError(path, problem, f"give at most {_MOST_VARYING}, or triangles only")
    if any(part.length_kind in _WIDE for part in element.lists):
        problem = f"has lists of varying length in {element.name} whose lengths are numbers of 64 bits"
        raise InputError(path, problem, "store their lengths as uchar or int")
    stream = io.BytesIO(_plain_header(element, header) + body)
    with without_warnings():  # about an empty list in text
        data = PlyData.read(stream, mmap=False)["row"].data
    columns: Columns = {}
    for position, part in enumerate(element.properties):
        if part.name not in columns:
            columns[part.name] = _in_own_kind(data[f"p{position}"], part, header)
    return columns, 0 if header.is_text else len(stream.getbuffer()) - stream.tell()  # plyfile closes texts


def rows_end(body: bytes, place: int, element: PlyElement, header: PlyHeader) -> int | None:
    """Where the rows of an element of a binary file end, perhaps behind the end of the file; None if it is not sought.

    It is not, if lists make that laborious.

    Args:
        body: of the file.
        place: where the rows begin.
        element: which is not read.
        header: of the file.
    """
    if not element.lists:
        return place + element.count * element.least_bytes
    if element.count * len(element.properties) > _MOST_WALKED:
        return None
    for _ in range(element.count):
        for part in element.properties:
            if part.length_kind is None:
                place += int(part.kind[1])
                continue
            own = int(part.length_kind[1])
            if place + own > len(body):
                return place + own
            order: Literal["big", "little"] = "big" if header.byte_order == ">" else "little"
            place += own + int.from_bytes(body[place : place + own], order) * int(part.kind[1])
    return place


def _plain_header(element: PlyElement, header: PlyHeader) -> bytes:
    """A header of this element alone, as plyfile expects it; whole numbers of 64 bits are called doubles."""
    form = {"=": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[header.byte_order]
    lines = ["ply", f"format {form} 1.0", f"element row {element.count}"]
    for position, part in enumerate(element.properties):
        list_kind = "" if part.length_kind is None else f"list {_LENGTHS[part.length_kind]} "
        lines.append(f"property {list_kind}{_NAMES.get(part.kind, 'double')} p{position}")
    return ("\n".join([*lines, "end_header"]) + "\n").encode()


def _in_own_kind(values: np.ndarray, part: PlyProperty, header: PlyHeader) -> np.ndarray:
    """Whole numbers of 64 bits out of doubles: of the same bytes or, in a text, of the same value."""
    if part.kind not in _WIDE:
        return values
    if values.dtype == object:
        lists = np.empty(len(values), dtype=object)
        for row, one in enumerate(values):
            lists[row] = _in_own_kind(np.asarray(one), part, header)
        return lists
    if header.is_text:
        return as_declared(values, np.dtype(part.kind))
    return np.ascontiguousarray(values).view(f"{header.byte_order}{part.kind}")
