"""Reads Wavefront `.obj` files: vertices, optionally with colours after the coordinates, and faces; no materials."""

import io
import logging
import re
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.colors import colors_from_named
from pointad.scans.meshes import Mesh
from pointad.scans.polygons import fans
from pointad.scans.scan_file import MOST_POINTS
from pointad.scans.text_cells import replaced
from pointad.scans.text_dialect import plain_nan
from pointad.scans.text_encoding import in_utf8

logger = logging.getLogger(__name__)

_NEWLINE, _BLANK = ord("\n"), ord(" ")
_COMMENTS = 4096  # bytes from the beginning, in which exporters state how much follows
_STATED = re.compile(rb"(?im)^#[ \t]*(?:number of )?(vertices|triangles|faces)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")
_COMMENT, _BLANKS, _OTHER_INDICES = re.compile(rb"#[^\n]*"), re.compile(rb" {2,}"), re.compile(rb"/[^ \n]*")
_MOST_LINES = 10_000  # of a statement: matching takes a hundred bytes for each
_CONTINUED = re.compile(rb"(?m)^ *[vf](?=[ \\])[^\n\\]*(?:\\ *\n[^\n\\]*){1,%d}" % _MOST_LINES)
"""A vertex or face over several lines; elsewhere, such as in a comment, a last backslash belongs to a path."""
_REMEDY = "replace the file"
_TEXT_REMEDY = "export it again, with decimal points and nan for missing numbers"


def read_obj(path: Path) -> Mesh:
    """Read the vertices in file order, and the faces as triangles.

    Indices may be negative, counting back from the last vertex before the face; texture and normal indices are skipped.

    Args:
        path: `v x y z`, perhaps with w, then perhaps with r g b or r g b a; colours 0 to 1 or 0 to 255.

    Raises:
        InputError: a vertex or face is not numeric or goes on over too many lines, or there are too many vertices.
    """
    content = in_utf8(read_bytes(path), path)
    stated = _STATED.findall(content[:_COMMENTS])
    content = _plain(content, path)
    characters = np.frombuffer(content, dtype=np.uint8)
    starts = np.flatnonzero(characters[:-1] == _NEWLINE) + 1  # the text begins with a line break
    keyword_ends = characters[np.minimum(starts + 1, len(characters) - 1)] == _BLANK
    is_vertex = (characters[starts] == ord("v")) & keyword_ends
    is_face = (characters[starts] == ord("f")) & keyword_ends
    if is_vertex.sum() > MOST_POINTS:
        raise InputError(path, f"holds {is_vertex.sum()} points", f"give a scan with at most {MOST_POINTS}")
    for name, count in stated:
        held = int((is_vertex if name.lower() == b"vertices" else is_face).sum())
        if held < int(count):
            message = "%s: its comments state %d %s but it holds %d; it may be truncated"
            logger.warning(message, path, int(count), name.decode().lower(), held)
    try:
        rows, has_others = _vertex_rows(content, path)
        faces, lengths = _faces(content, np.cumsum(is_vertex)[is_face])
    except (ValueError, OverflowError) as error:
        raise InputError(path, f"is not readable as obj ({error})", _TEXT_REMEDY) from error
    if rows.shape[1] < 3:
        raise InputError(path, f"has vertices of {rows.shape[1]} numbers, expected 3", _REMEDY)
    colors = _colors(rows[:, 3:], path)
    said = "x, y, z: the first three numbers of every v"
    if colors is not None:
        said += "; colours: behind them"
    elif has_others:
        said += "; not used: what is behind them"
    return Mesh(rows[:, :3], fans(faces, lengths, rows[:, :3], path), colors, said)


def _colors(others: np.ndarray, path: Path) -> np.ndarray | None:
    """Colours among the numbers behind the coordinates (V, C): r g b, perhaps with a weight before and alpha behind.

    Of four numbers, the first is a weight if it is always 1. This is logged where the last is the same everywhere, too.
    """
    count = others.shape[1]
    if count not in (3, 4, 5):
        return None
    has_weight = count == 5 or (count == 4 and bool((others[:, 0] == 1).all()))
    if has_weight and count == 4 and len(others) > 1 and np.ptp(others[:, 3]) == 0:
        logger.warning("%s: the first of four numbers behind the coordinates is read as a weight, not as red", path)
    return colors_from_named(others[:, int(has_weight) :][:, :3])


def _plain(content: bytes, path: Path) -> bytes:
    """One statement per line, words separated by single blanks, no surrounding blanks, no comments."""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    content = b"\n" + content.translate(bytes.maketrans(b"\r\t", b"\n ")) + b"\n"
    content = plain_nan(content)
    if b"#" in content:
        content = replaced(_COMMENT, b"", content)
    if b"\\" in content:
        content = _CONTINUED.sub(lambda found: re.sub(rb"\\ *\n", b" ", found[0]), content)
        if _CONTINUED.search(content):
            raise InputError(path, f"has a vertex or face of more than {_MOST_LINES + 1} lines", _REMEDY)
    if b"  " in content:
        content = replaced(_BLANKS, b" ", content)
    if b"\n " in content:
        content = content.replace(b"\n ", b"\n")
    return content.replace(b" \n", b"\n")


def _vertex_rows(content: bytes, path: Path) -> tuple[np.ndarray, bool]:
    """The numbers of the vertices (V, C), and whether there are others than coordinates, even if not in C."""
    lines = re.findall(rb"\nv ([^\n]*)", content)
    if not lines:
        return np.zeros((0, 3)), False
    text = b"\n".join(lines)
    try:
        rows = np.loadtxt(io.BytesIO(text), dtype=np.float64, comments=None, ndmin=2, encoding="latin1")
        return rows, rows.shape[1] > 3
    except ValueError:
        rows = np.loadtxt(
            io.BytesIO(text), dtype=np.float64, comments=None, ndmin=2, encoding="latin1", usecols=(0, 1, 2)
        )
    logger.warning("%s: vertices have different numbers of values; colours are ignored", path)
    return rows, True


def _faces(content: bytes, vertices_before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices of all faces, concatenated, and how many each has."""
    lines = re.findall(rb"\nf ([^\n]*)", content)
    if not lines:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    text = b"\n".join(lines) + b"\n"
    if b"/" in text:
        text = replaced(_OTHER_INDICES, b"", text)
    indices = np.loadtxt(
        io.BytesIO(text.replace(b" ", b"\n")), dtype=np.int64, comments=None, ndmin=1, encoding="latin1"
    )
    characters = np.frombuffer(text, dtype=np.uint8)
    word_ends = characters[(characters == _BLANK) | (characters == _NEWLINE)]
    lengths = np.diff(np.flatnonzero(word_ends == _NEWLINE), prepend=-1)
    if lengths.sum() != len(indices) or not indices.all():
        raise ValueError("faces with vertices that have no index")
    before = np.repeat(vertices_before, lengths)
    return np.where(indices > 0, indices - 1, before + indices), lengths
