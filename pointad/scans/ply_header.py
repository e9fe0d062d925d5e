"""The header of a PLY file: its elements, their properties, and where the body begins; comments may hold any bytes."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointad.errors import InputError

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8", "int64": "i8", "uint64": "u8",
}  # fmt: skip
_BYTE_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_LONGEST_HEADER = 2**20  # bytes
_MOST_ELEMENTS = 100  # kinds of rows; each may have to be passed, and usual files have two
_MOST_PROPERTIES = 1000
_REMEDY = "replace the file"


@dataclass(frozen=True)
class PlyProperty:
    """One number of an element, or a list of them."""

    name: str
    kind: str  # "f4" and so on, without byte order
    length_kind: str | None = None  # type of the list's length; None: not a list


@dataclass(frozen=True)
class PlyElement:
    """A table of the file."""

    name: str
    count: int
    properties: tuple[PlyProperty, ...]

    @property
    def lists(self) -> tuple[PlyProperty, ...]:
        """The properties that are lists."""
        return tuple(part for part in self.properties if part.length_kind is not None)

    @property
    def least_bytes(self) -> int:
        """The fewest bytes of a row in a binary file: lists may be empty."""
        return sum(int((part.length_kind or part.kind)[1]) for part in self.properties)


@dataclass(frozen=True)
class PlyHeader:
    """The content of the lines before the body."""

    elements: tuple[PlyElement, ...]
    byte_order: str  # "<" or ">"; "=" for text
    body: int  # where it begins

    @property
    def is_text(self) -> bool:
        """Whether the body is text."""
        return self.byte_order == "="


def read_ply_header(content: bytes, path: Path) -> PlyHeader:
    """Read a header; comments are skipped as bytes, whatever their encoding and content.

    Raises:
        InputError: it is not a PLY header, or an element has more rows than the file can hold.
    """
    lines = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
    place = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    byte_order: str | None = None
    elements: list[tuple[str, int, list[PlyProperty]]] = []
    first = True
    while place < min(len(content), _LONGEST_HEADER):
        match = lines.match(content, place)
        assert match is not None
        place = match.end()
        words = match.group().decode("latin1").split()
        if first:
            if words != ["ply"]:
                break
            first = False
        elif not words or words[0] in ("comment", "obj_info"):
            continue
        elif words == ["end_header"]:
            if byte_order is None:
                break
            header = PlyHeader(tuple(PlyElement(n, c, tuple(p)) for n, c, p in elements), byte_order, place)
            _check_counts(header, len(content), path)
            return header
        else:
            try:
                if words[0] == "format" and len(words) >= 2:
                    if byte_order not in (None, _BYTE_ORDERS[words[1]]):
                        raise InputError(path, "has two lines format in its header, which differ", _REMEDY)
                    byte_order = _BYTE_ORDERS[words[1]]
                elif words[0] == "element" and len(words) == 3:
                    elements.append((words[1].lower(), int(words[2]), []))
                else:
                    elements[-1][2].append(_property(words))
            except (KeyError, ValueError, IndexError) as error:
                problem = f"has the header line {' '.join(words)[:80]!r}, which is not valid"
                raise InputError(path, problem, _REMEDY) from error
    raise InputError(path, "has no PLY header", _REMEDY)


def _property(words: list[str]) -> PlyProperty:
    if words[:2] == ["property", "list"] and len(words) == 5 and _TYPES[words[2]][0] != "f":
        return PlyProperty(words[4], _TYPES[words[3]], _TYPES[words[2]])
    if words[0] == "property" and len(words) == 3:
        return PlyProperty(words[2], _TYPES[words[1]])
    raise ValueError(words)


def _check_counts(header: PlyHeader, size: int, path: Path) -> None:
    held = size - header.body
    if len(header.elements) > _MOST_ELEMENTS:
        raise InputError(path, f"declares {len(header.elements)} elements", f"give at most {_MOST_ELEMENTS}")
    for element in header.elements:
        if len(element.properties) > _MOST_PROPERTIES:
            raise InputError(path, f"has {len(element.properties)} properties of {element.name}", _REMEDY)
        least = 2 * len(element.properties) if header.is_text else element.least_bytes
        if element.count < 0 or element.count * least > held + 1:
            problem = f"declares {element.count} of {element.name} but holds {held} bytes after its header"
            raise InputError(path, problem, _REMEDY)


def record_type(element: PlyElement, byte_order: str, lengths: tuple[int, ...] = ()) -> np.dtype:
    """The bytes of a row as a NumPy type.

    Args:
        element: its repeated names get a numeric suffix.
        byte_order: as in `PlyHeader`.
        lengths: one for each list, each preceded by its length under the name of the list and " length".
    """
    fields: list[tuple] = []
    taken: set[str] = set()
    remaining = list(lengths)
    for position, part in enumerate(element.properties):
        name = part.name if part.name not in taken else f"{part.name}:{position}"
        taken.add(name)
        if part.length_kind is None:
            fields.append((name, byte_order + part.kind))
        else:
            fields.append((f"{name} length", byte_order + part.length_kind))
            fields.append((name, byte_order + part.kind, (remaining.pop(0),)))
    return np.dtype(fields)
