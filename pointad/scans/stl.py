"""Reads `.stl` files, binary or text: triangles without colours."""

import io
import logging
import re
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import read_bytes
from pointad.scans.meshes import Mesh
from pointad.scans.text_cells import replaced
from pointad.scans.text_dialect import plain_nan
from pointad.scans.text_encoding import in_utf8

logger = logging.getLogger(__name__)

_HEADER = 84  # bytes, with the number of triangles in the last four
_TRIANGLE = np.dtype([("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_UNKNOWN = (0, 2**32 - 1)  # placeholders of writers that do not know the number yet
_BEGINNING = 10_000  # bytes, in which a text names its first solid
_WITHOUT_ZEROS = 1000  # bytes; in a binary file of that length at least, some byte is zero
_COMMENTS = (b"#", b";", b"//", b"!", b"%")
_NAME = re.compile(rb"(?m)^[ \t]*((?:end ?)?solid)\b(?:(?!\bfacet[ \t]+normal\b)[^\n])*")  # which may be any words
_ENDS = re.compile(rb"\b(?:(v)ertex\s+\S+\s+\S+\s+\S+|end ?facet\b)")
_FOUR_NUMBERS = re.compile(rb"\bvertex(?:\s+\S+){3}\s+[-+.\d]")
_REMEDY = "replace the file"
_TEXT_REMEDY = "export it again, with decimal points and nan for missing numbers"


def read_stl(path: Path) -> Mesh:
    """Read all triangles; each has vertices of its own.

    A binary file may be longer than its number of triangles implies. If the excess is a whole number of triangles, or
    if the number is a placeholder, the length counts, otherwise the number. This is logged.

    Raises:
        InputError: the file is shorter than it states, or holds no triangles.
    """
    content = read_bytes(path)
    count = int.from_bytes(content[80:_HEADER], "little") if len(content) >= _HEADER else 0
    exact = len(content) == _HEADER + count * _TRIANGLE.itemsize and count > 0
    text = content if exact else in_utf8(content, path)
    if not exact and _is_text(text):
        corners = _text_corners(text, path)
    else:
        corners = _binary_corners(content, count, path)
    if not len(corners):
        raise InputError(path, "holds no triangles", _REMEDY)
    return Mesh(
        corners.astype(np.float64), np.arange(len(corners)).reshape(-1, 3), columns="x, y, z: the corners of triangles"
    )


def _is_text(content: bytes) -> bool:
    """Whether it has the words of a text; a byte-order mark, comments and a long name may precede them."""
    beginning = content[:_BEGINNING].removeprefix(b"\xef\xbb\xbf").lower()
    facet = beginning.find(b"facet")
    if b"\0" in beginning[: max(facet, _WITHOUT_ZEROS)]:
        return False
    lines = (line.strip() for line in beginning.splitlines())
    first = next((line for line in lines if line and not line.startswith(_COMMENTS)), b"")
    return first.startswith(b"solid")


def _text_corners(content: bytes, path: Path) -> np.ndarray:
    content = replaced(_NAME, rb"\1 ", plain_nan(content.lower().replace(b"\r", b"\n")))
    lines = re.findall(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", content)
    *beginning, end = re.split(rb"\bend ?facet\b", content)
    facets = len(beginning)
    if len(lines) == 3 * facets and not re.search(rb"\bend ?solid\b", end):
        raise InputError(path, "has no endsolid behind its last triangle; it may be truncated", _REMEDY)
    if len(lines) != 3 * facets:
        raise InputError(path, f"has {len(lines)} vertices in {facets} complete triangles", _REMEDY)
    if _ENDS.findall(content) != [b"v", b"v", b"v", b""] * facets:
        raise InputError(path, "has facets that are no triangles", _REMEDY)
    if _FOUR_NUMBERS.search(content):
        raise InputError(path, "has vertices of more than three numbers", _REMEDY)
    if not lines:
        return np.zeros((0, 3))
    try:
        text = b"\n".join(map(b" ".join, lines))
        return np.loadtxt(io.BytesIO(text), dtype=np.float64, comments=None, ndmin=2, encoding="latin1")
    except ValueError as error:
        raise InputError(path, f"is not readable as stl ({error})", _TEXT_REMEDY) from error


def _binary_corners(content: bytes, count: int, path: Path) -> np.ndarray:
    if len(content) < _HEADER:
        raise InputError(path, f"is too short for an stl file ({len(content)} bytes)", _REMEDY)
    held, rest = divmod(len(content) - _HEADER, _TRIANGLE.itemsize)
    if count > held and not (count in _UNKNOWN and not rest):
        raise InputError(path, f"declares {count} triangles but holds {held}", _REMEDY)
    if count in _UNKNOWN or (not rest and count < held):
        taken = held
    else:
        taken = count
    if taken != count or rest:
        message = "%s: declares %d triangles but has room for %d and %d more bytes; %d are read"
        logger.warning(message, path, count, held, rest, taken)
    triangles = np.frombuffer(content, dtype=_TRIANGLE, count=taken, offset=_HEADER)
    return triangles["corners"].reshape(-1, 3)
