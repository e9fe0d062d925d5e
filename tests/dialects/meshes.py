"""Surfaces: of a box of 40 x 30 x 20 about the origin, in every way that formats know."""

import numpy as np
import trimesh
from plyfile import PlyElement

from dialects.base import COLORS, POINTS, Dialect, lines, with_holes
from dialects.ply import lists, vertex_table, written

EXTENT = np.array([40.0, 30.0, 20.0])
_BOX = trimesh.creation.box(extents=EXTENT)
_CORNERS = np.asarray(_BOX.vertices)
_TRIANGLES = np.asarray(_BOX.faces)
# The box's corners in order of x, y, z: its six sides as quads.
_QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
_ORDERED = np.array([[x, y, z] for x in (-20, 20) for y in (-15, 15) for z in (-10, 10)], dtype=float)
_VERTICES = PlyElement.describe(vertex_table(points=_ORDERED), "vertex")
_MIXED = [_QUADS[0], *[[q[0], q[n], q[n + 1]] for q in _QUADS[1:3] for n in (1, 2)], *_QUADS[3:]]
_STRIPS = [index for quad in _QUADS for index in (quad[0], quad[1], quad[3], quad[2], -1)]
_TEXT = trimesh.exchange.stl.export_stl_ascii(_BOX).encode()
_UNKNOWN_TRIANGLE = b"facet normal 0 0 0\nouter loop\n" + b"vertex -nan(ind) 1.#QNAN 0\n" * 3 + b"endloop\nendfacet\n"


def _textured(text: bool) -> bytes:
    faces = np.empty(len(_MIXED), dtype=[("vertex_index", object), ("texcoord", object), ("texnumber", "i4")])
    faces["vertex_index"] = [np.array(face, dtype=np.int32) for face in _MIXED]
    faces["texcoord"] = [np.zeros(2 * len(face), dtype=np.float32) for face in _MIXED]
    described = PlyElement.describe(faces, "face", len_types={"texcoord": "u1", "vertex_index": "u1"})
    return written(_VERTICES, described, text=text)


def _interleaved() -> bytes:
    """Vertices and faces in turn, each face with indices counted back."""
    groups = []
    for triangle in _TRIANGLES:
        groups += [f"v {x} {y} {z}" for x, y, z in _CORNERS[triangle]] + ["f -3 -2 -1"]
    return lines(groups)


def _obj(corner: str = "{0}", separator: str = " ", end: str = "") -> bytes:
    vertices = [separator.join(["v", *(f"{value:g}" for value in point)]) + end for point in _ORDERED]
    faces = [separator.join(["f", *(corner.format(index + 1) for index in quad)]) + end for quad in _QUADS]
    return lines(vertices + faces)


def _stl(count: int | None = None, rest: bytes = b"") -> bytes:
    content = bytearray(_BOX.export(file_type="stl") + rest)
    if count is not None:
        content[80:84] = count.to_bytes(4, "little")
    return bytes(content)


def _mesh(suffix: str, content: bytes, log: str = "") -> Dialect:
    return Dialect(suffix, content, _ORDERED, log=log)


MESHES = {
    "mixed polygons": _mesh(".ply", written(_VERTICES, lists("vertex_indices", _MIXED, "face"))),
    "mixed polygons in text": _mesh(".ply", written(_VERTICES, lists("vertex_indices", _MIXED, "face"), text=True)),
    "quads": _mesh(".ply", written(_VERTICES, lists("vertex_indices", _QUADS, "face"), byte_order=">")),
    "textures of varying length": _mesh(".ply", _textured(text=False)),
    "textures in text": _mesh(".ply", _textured(text=True)),
    "faces first": _mesh(".ply", written(lists("vertex_indices", _QUADS, "face"), _VERTICES)),
    "triangle strips": _mesh(".ply", written(_VERTICES, lists("vertex_indices", [_STRIPS], "tristrips", "i4"))),
    "trimesh": _mesh(".ply", _BOX.export(file_type="ply")),
    "relative indices": _mesh(".obj", _interleaved()),
    "fewer faces than the comments say": _mesh(
        ".obj", b"# Vertices: 8\n# Faces: 7\n" + _obj(), log="it may be truncated"
    ),
    "quads of texture and normal": _mesh(".obj", _obj("{0}/{0}/{0}")),
    "normals without texture": _mesh(".obj", _obj("{0}//{0}")),
    "tabs": _mesh(".obj", _obj(separator="\t")),
    "comments behind values": _mesh(".obj", _obj(end=" # measured")),
    "continued lines": _mesh(".obj", _obj().replace(b"f 1 2 ", b"f 1 2 \\\n  ")),
    "continued lines of Windows": _mesh(".obj", _obj().replace(b"f 1 2 ", b"f 1 2 \\\n  ").replace(b"\n", b"\r\n")),
    "a comment and a library that end in a backslash": _mesh(
        ".obj", b"# of C:\\scans\\\nmtllib C:\\scans\\\n" + _obj().replace(b"f 1 2 ", b"f 1 \\ \n 2 \\\n")
    ),
    "binary": _mesh(".stl", _stl()),
    "trailing bytes": _mesh(".stl", _stl(rest=b"\0" * 17), log="12 are read"),
    "no number of triangles": _mesh(".stl", _stl(count=0), log="12 are read"),
    "too small a number": _mesh(".stl", _stl(count=5), log="12 are read"),
    "a placeholder": _mesh(".stl", _stl(count=2**32 - 1), log="12 are read"),
    "text": _mesh(".stl", _TEXT),
    "text with a byte-order mark and comments": _mesh(".stl", b"\xef\xbb\xbf# measured\r\n\n; in mm\n" + _TEXT),
    "text with a long name": _mesh(".stl", b"solid " + b"part " * 400 + _TEXT.removeprefix(b"solid ")),
    "text with a triangle of Windows' nan": _mesh(
        ".stl", _TEXT.replace(b"facet", _UNKNOWN_TRIANGLE + b"facet", 1), log="1 of 13 triangles have a corner"
    ),
    "corners without data": _mesh(
        ".obj", _obj() + b"v -9999 -9999 -9999\nf 1 2 9\n", log="have the no-data value -9999"
    ),
    "triangles without data": _mesh(
        ".obj", _obj() + b"v -9999 -9999 -9999\nf 1 2 9\n", log="1 of 13 triangles have a corner that is not finite"
    ),
    "text with zeros behind it": _mesh(".stl", _TEXT + bytes(20)),
    "text with end facet in two words": _mesh(".stl", _TEXT.replace(b"endfacet", b"end facet")),
    "two solids in one text": _mesh(".stl", _TEXT.replace(b"endfacet\n", b"endfacet\nendsolid a\nsolid b\n", 1)),
    "binary that begins with solid": _mesh(".stl", b"solid" + _stl()[5:]),
}

OBJ = {
    "colours to 255": Dialect(
        ".obj",
        lines([f"v {x} {y} {z} {r} {g} {b}" for (x, y, z), (r, g, b) in zip(POINTS, COLORS, strict=True)]),
        colors=COLORS,
    ),
    "colours to 1": Dialect(
        ".obj",
        lines([f"v {x} {y} {z} {r} {g} {b}" for (x, y, z), (r, g, b) in zip(POINTS, COLORS / 255, strict=True)]),
        colors=COLORS,
    ),
    "colours and alpha": Dialect(
        ".obj",
        lines([f"v {x} {y} {z} {r} {g} {b} 1" for (x, y, z), (r, g, b) in zip(POINTS, COLORS / 255, strict=True)]),
        colors=COLORS,
    ),
    "weights and colours": Dialect(
        ".obj",
        lines([f"v {x} {y} {z} 1 {r} {g} {b}" for (x, y, z), (r, g, b) in zip(POINTS, COLORS / 255, strict=True)]),
        colors=COLORS,
    ),
    "holes of Windows": Dialect(
        ".obj",
        lines(["v 1.#QNAN -nan(ind) 0 # nothing", *(f"v {x} {y} {z}" for x, y, z in POINTS[1:])]),
        with_holes([0]),
    ),
    "fewer vertices than the comments say": Dialect(
        ".obj",
        lines([f"v {x} {y} {z}" for x, y, z in POINTS], "# number of vertices: 500"),
        log="state 500 vertices but it holds 400",
    ),
    "weights": Dialect(".obj", lines([f"v {x} {y} {z} 1.0" for x, y, z in POINTS])),
    "a dummy face": Dialect(".obj", lines([f"v {x} {y} {z}" for x, y, z in POINTS] + ["f 1 2 3"]), log="have no face"),
}

REFUSED_MESHES = {
    "fewer triangles than promised": (".stl", _stl()[:-50], "declares 12 triangles but holds 11"),
    "cut text": (".stl", _TEXT[:-60], "complete triangles"),
    "text cut behind a triangle": (".stl", _TEXT[: _TEXT.rindex(b"endsolid")], "has no endsolid"),
    "text cut in its second solid": (".stl", _TEXT + _TEXT[: _TEXT.rindex(b"endsolid")], "has no endsolid"),
    "index 0": (".obj", _obj().replace(b"f 1 ", b"f 0 "), "no index"),
    "relative index before the first": (".obj", _obj().replace(b"f 1 ", b"f -9 "), "do not exist"),
}
