"""Reads `.ply` files: the vertices with their colours, and the surface if there is one.

Elements without lists or with lists of equal length are read as arrays; lists of varying length are read by plyfile.
"""

import io
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from plyfile import PlyParseError

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.colors import colors_from_named
from pointad.scans.column_units import in_one_unit, tell_repeated
from pointad.scans.declared_types import as_declared, is_unlike
from pointad.scans.meshes import Mesh, strips
from pointad.scans.named_columns import find_columns
from pointad.scans.ply_header import PlyElement, PlyHeader, PlyProperty, read_ply_header, record_type
from pointad.scans.ply_lists import Columns, read_varying_lists, rows_end
from pointad.scans.polygons import fans
from pointad.scans.reading_words import columns_read
from pointad.scans.scan_file import MOST_POINTS
from pointad.scans.surplus import check_surplus
from pointad.scans.text_cells import replaced
from pointad.scans.text_dialect import plain_nan
from pointad.scans.text_encoding import in_utf8
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

_FACE_LISTS = ("vertex_indices", "vertex_index", "vertex_indexes")
_LONGEST_FIXED_LIST = 10_000
_BLANK_LINE = re.compile(rb"(?m)^[ \t]*(\n|\Z)")
_REMEDY = "replace the file"
_TEXT_REMEDY = "export it again, with decimal points and nan for missing numbers"

Polygons = tuple[np.ndarray, np.ndarray]
"""The vertices of all of them, concatenated, and how many each has."""


def read_ply(path: Path) -> Mesh:
    """Read vertices, their colours, and triangles from faces and strips; other elements are skipped.

    Raises:
        InputError: the file is broken, shorter than its header states, or has no vertices with x, y, z.
    """
    content = in_utf8(read_bytes(path), path)
    header = read_ply_header(content, path)
    body: bytes | list[bytes] = content[header.body :] if not header.is_text else _text_rows(content[header.body :])
    declared = _vertex_element(header, path)
    last = max((n for n, element in enumerate(header.elements) if _is_needed(element)), default=-1)
    vertices: Columns = {}
    faces: list[Polygons] = []
    place = 0
    for element in header.elements[: last + 1]:
        needed = _is_needed(element)
        try:
            columns, place = (_read_text if header.is_text else _read_binary)(body, place, element, header, path)  # type: ignore[arg-type]
        except (PlyParseError, ValueError, OverflowError, UnicodeDecodeError) as error:
            remedy = _TEXT_REMEDY if header.is_text else _REMEDY
            raise InputError(path, f"is not readable as ply ({element.name}: {error})", remedy) from error
        if element.name == "vertex":
            vertices = columns
        elif needed:
            faces.append(_polygons(columns, element, path))
    unread = next((element for element in header.elements if element.name == "face" and not _is_needed(element)), None)
    if unread is not None and unread.count:
        message = (
            "%s: its faces have no list called vertex_indices and are ignored; the vertices are read as the points"
        )
        logger.warning(message, path)
    _check_end(body, place, header.elements[last + 1 :], header, path)
    return _mesh(vertices, declared, faces, path)


def _check_end(
    body: bytes | list[bytes], place: int, others: Sequence[PlyElement], header: PlyHeader, path: Path
) -> None:
    """Log what is behind the last element, as of a file whose header states too few rows, and refuse one cut before it.

    Args:
        body: of the file; rows of a text.
        place: where the elements end that are read.
        others: those behind them, which are not read.
        header: of the file.
        path: the file, for the log and for errors.
    """
    for element in (one for one in others if one.properties):
        if isinstance(body, list):
            end: int | None = place + element.count
            held = len(body) - (not body[-1])
        else:
            end, held = rows_end(body, place, element, header), len(body)
        if end is None:
            return
        if end > held:
            raise InputError(path, f"declares {element.count} of {element.name} but ends before the last", _REMEDY)
        place = end
    if isinstance(body, list):
        more = len(body) - place - (not body[-1])
        if more > 0:
            ending = header.elements[-1]
            message = "%s: declares %d rows of %s but holds %d more, which are not read"
            logger.warning(message, path, ending.count, ending.name, more)
        return
    vertices = next(element for element in header.elements if element.name == "vertex")
    surplus = body[place:]
    if not vertices.lists:
        check_surplus(surplus, vertices.count, max(vertices.least_bytes, 1), "rows of vertex", path)
    elif surplus.strip(b"\0"):
        logger.warning("%s: %d bytes behind the last row are not read", path, len(surplus))


def _is_needed(element: PlyElement) -> bool:
    return element.name == "vertex" or (element.name in ("face", "tristrips") and _face_list(element) is not None)


def _face_list(element: PlyElement) -> PlyProperty | None:
    firsts = {part.name: part for part in reversed(element.properties)}  # of equal names the first counts
    named = [part for part in element.lists if part.name.lower() in _FACE_LISTS and firsts[part.name] is part]
    return named[0] if named else None


def _vertex_element(header: PlyHeader, path: Path) -> PlyElement:
    names = [element.name for element in header.elements]
    if "vertex" not in names:
        raise InputError(path, f"has no element called vertex; found {', '.join(names) or 'nothing'}", _REMEDY)
    if names.count("vertex") > 1:
        raise InputError(
            path, f"has {names.count('vertex')} elements called vertex", "store them in files of their own"
        )
    element = header.elements[names.index("vertex")]
    if element.count > MOST_POINTS:
        raise InputError(path, f"declares {element.count} points", f"give a scan with at most {MOST_POINTS}")
    return element


def _polygons(columns: Columns, element: PlyElement, path: Path) -> Polygons:
    part = _face_list(element)
    assert part is not None
    lists = columns[part.name]
    floats = [one for one in (lists if lists.dtype == object else [lists]) if one.dtype.kind == "f"]
    if not all(map(are_whole, floats)):
        raise InputError(path, f"has numbers of vertices in {element.name} that are not whole", _REMEDY)
    _tell_unlike({part.name: floats[0] if floats else lists}, [part], path)
    if element.name == "tristrips":
        ends = np.full(1, -1, dtype=np.int64)
        chain = np.concatenate([part for strip in lists for part in (strip.astype(np.int64), ends)] or [ends])
        lists = strips(chain)
    if lists.dtype != object:
        return lists.reshape(-1), np.full(len(lists), lists.shape[1])
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    return np.concatenate([np.zeros(0, dtype=np.int64), *lists]), lengths


def _tell_unlike(columns: Columns, parts: Iterable[PlyProperty], path: Path) -> None:
    """Log numbers of a text that the types declared for them cannot hold."""
    unlike = [part for part in parts if is_unlike(columns[part.name], np.dtype(part.kind))]
    if unlike:
        message = "%s: declares whole numbers for %s that its type (%s) cannot hold; they are read as they are written"
        logger.warning(message, path, ", ".join(part.name for part in unlike), np.dtype(unlike[0].kind).name)


def _mesh(columns: Columns, declared: PlyElement, faces: Sequence[Polygons], path: Path) -> Mesh:
    names = [name for name, values in columns.items() if values.ndim == 1 and values.dtype != object]
    found = find_columns(names)
    if found.xyz is None:
        raise InputError(path, f"has no vertex properties x, y, z; found {', '.join(columns)}", _REMEDY)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        vertices = np.stack([columns[names[place]].astype(np.float64) for place in found.xyz], axis=1)
    used = {names[place] for place in (*found.xyz, *(found.colors or ()))}
    parts = {part.name: part for part in reversed(declared.properties)}  # of equal names the first counts
    _tell_unlike(columns, [parts[name] for name in columns if name in used], path)
    stored = [part.name for part in declared.properties if part.length_kind is None]
    tell_repeated(stored, [stored.index(names[place]) for place in found.xyz], path)
    vertices = in_one_unit(vertices, [names[place] for place in found.xyz], path)
    colors = None
    if found.colors is not None:
        colors = colors_from_named(np.stack([columns[names[place]] for place in found.colors], axis=1))
    said = columns_read(len(names), found.xyz, () if colors is None else found.colors or (), names, "properties")
    nothing = np.zeros(0, dtype=np.int64)
    joined = (np.concatenate(parts) for parts in zip((nothing, nothing), *faces, strict=True))
    corners, lengths = faces[0] if len(faces) == 1 else joined
    return Mesh(vertices, fans(corners, lengths, vertices, path), colors, said)


def _read_binary(body: bytes, place: int, element: PlyElement, header: PlyHeader, path: Path) -> tuple[Columns, int]:
    """The columns of the element that begins at `place`, and where the next element begins."""
    lengths = _first_lengths(body, place, element, header)
    if lengths is not None:
        dtype = record_type(element, header.byte_order, lengths)
        end = place + element.count * dtype.itemsize
        if end <= len(body):
            records = np.frombuffer(body, dtype=dtype, count=element.count, offset=place)
            names = [name for name in dtype.names or () if name.endswith(" length")]
            if all((records[name] == length).all() for name, length in zip(names, lengths, strict=True)):
                return {name: records[name] for name in dtype.names or () if name not in names}, end
        elif not element.lists:
            problem = f"declares {element.count} of {element.name} but holds {len(body) - place} bytes of them"
            raise InputError(path, problem, _REMEDY)
    columns, following = read_varying_lists(body[place:], element, header, path)
    return columns, len(body) - following


def _first_lengths(body: bytes, place: int, element: PlyElement, header: PlyHeader) -> tuple[int, ...] | None:
    """The lengths of the lists in the first row; None if it ends before them or one is negative or absurd."""
    lengths = []
    if not element.count:
        return (0,) * len(element.lists)
    for part in element.properties:
        dtype = np.dtype(header.byte_order + (part.length_kind or part.kind))
        size = dtype.itemsize
        if part.length_kind is not None:
            if place + size > len(body):
                return None
            length = int(np.frombuffer(body, dtype, 1, place)[0])
            if not 0 <= length <= _LONGEST_FIXED_LIST:
                return None
            lengths.append(length)
            size += length * int(part.kind[1])
        place += size
    return tuple(lengths)


def _text_rows(body: bytes) -> list[bytes]:
    """Lines that are not blank."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return plain_nan(replaced(_BLANK_LINE, b"", body)).split(b"\n")


def _read_text(
    rows: list[bytes], place: int, element: PlyElement, header: PlyHeader, path: Path
) -> tuple[Columns, int]:
    end = place + element.count
    own = rows[place:end]
    if len(own) < element.count or (own and not own[-1]):
        held = len(own) - (own[-1:] == [b""])  # what is behind the last line
        problem = f"declares {element.count} of {element.name} but holds {held} rows of them"
        raise InputError(path, problem, _REMEDY)
    lengths = _first_text_lengths(own, element)
    if lengths is not None and element.count:
        dtype = record_type(element, "=", lengths)
        try:
            table = np.loadtxt(io.BytesIO(b"\n".join(own)), dtype=np.float64, comments=None, ndmin=2, encoding="latin1")
        except ValueError:
            if not element.lists:
                raise
        else:
            columns = _text_columns(table, dtype, lengths)
            if columns is not None:
                return columns, end
            if not element.lists:
                problem = f"has {table.shape[1]} numbers in a row of {element.name}"
                raise InputError(path, f"{problem}, expected {len(element.properties)}", _REMEDY)
    plain = b"\n".join(own).decode("ascii").encode()
    return read_varying_lists(plain + b"\n", element, header, path)[0], end


def _first_text_lengths(rows: list[bytes], element: PlyElement) -> tuple[int, ...] | None:
    words = iter(rows[0].split()) if rows else iter(())
    lengths = []
    for part in element.properties:
        word = next(words, None)
        if word is None:
            return None
        if part.length_kind is not None:
            if not word.isdigit() or int(word) > _LONGEST_FIXED_LIST:
                return None
            lengths.append(int(word))
            for _ in range(int(word)):
                next(words, None)
    return tuple(lengths)


def _text_columns(table: np.ndarray, dtype: np.dtype, lengths: tuple[int, ...]) -> Columns | None:
    """Columns of a table whose rows have the layout of the type; None if they do not."""
    columns: Columns = {}
    remaining = list(lengths)
    place = 0
    for name in dtype.names or ():
        field = dtype[name]
        width = int(np.prod(field.shape, dtype=int))
        values = table[:, place : place + width]
        if values.shape[1] != width:
            return None
        place += width
        if name.endswith(" length"):
            if not (values == remaining.pop(0)).all():
                return None
            continue
        columns[name] = as_declared(values.reshape(len(table), *field.shape), field.base)
    return columns if place == table.shape[1] else None
