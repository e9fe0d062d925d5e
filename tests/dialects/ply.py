"""PLY files as Blender, scanners, PDAL and photogrammetry write them; clouds here, surfaces in `meshes`."""

import io
import re

import numpy as np
from plyfile import PlyData, PlyElement

from dialects.base import COLORS, POINTS, Dialect, lines, rows, with_holes


def vertex_table(names: str = "xyz", colors: str = "", scale: int = 1, points: np.ndarray = POINTS) -> np.ndarray:
    """Records of vertices: coordinates as doubles, colours as bytes or, scaled, as 16-bit numbers."""
    kind = "u1" if scale == 1 else "u2"
    color_names = colors.split()
    table = np.zeros(len(points), dtype=[(name, "f8") for name in names] + [(name, kind) for name in color_names])
    for axis, name in enumerate(names):
        table[name] = points[:, axis]
    for axis, name in enumerate(color_names):
        table[name] = COLORS[:, axis].astype(int) * scale
    return table


def written(*elements: PlyElement, text: bool = False, byte_order: str = "<") -> bytes:
    """What plyfile writes."""
    buffer = io.BytesIO()
    PlyData(list(elements), text=text, byte_order=byte_order).write(buffer)
    return buffer.getvalue()


def vertices(**options: object) -> PlyElement:
    """An element of `vertex_table`."""
    return PlyElement.describe(vertex_table(**options), "vertex")  # type: ignore[arg-type]


def lists(name: str, values: list[list[int]], element: str, length: str = "u1") -> PlyElement:
    """An element of nothing but a list."""
    table = np.empty(len(values), dtype=[(name, object)])
    table[name] = [np.array(value, dtype=np.int32) for value in values]
    return PlyElement.describe(table, element, len_types={name: length}, val_types={name: "i4"})


def _with_views(first: bool) -> bytes:
    """Vertices with a list of varying length before or behind their coordinates."""
    views = np.empty(len(POINTS), dtype=object)
    views[:] = [np.arange(number % 5, dtype=np.int32) for number in range(len(POINTS))]
    fields = [("x", "f8"), ("y", "f8"), ("z", "f8")]
    table = np.empty(len(POINTS), dtype=[("views", object), *fields] if first else [*fields, ("views", object)])
    table["views"] = views
    for axis, name in enumerate("xyz"):
        table[name] = POINTS[:, axis]
    described = PlyElement.describe(table, "vertex", len_types={"views": "u1"}, val_types={"views": "i4"})
    return written(described, lists("vertex_indices", [], "face"))


def _commented(content: bytes, comment: bytes) -> bytes:
    return content.replace(b" 1.0\n", b" 1.0\ncomment " + comment + b"\n", 1)


_COMMENT = "Prüfling".encode("latin1") + "检测".encode("gbk")
_PLAIN = written(vertices())
_TEXT_HEADER = (
    f"ply\nformat ascii 1.0\nelement vertex {len(POINTS)}\nproperty double x\nproperty double y\nproperty double z\n"
    "end_header"
)
_RANGE = lists("vertex_indices", [[number] if number % 3 else [] for number in range(len(POINTS))], "range_grid")
_CAMERA = PlyElement.describe(np.zeros(1, dtype=[("view_px", "f4"), ("view_py", "f4")]), "camera")
PLY = {
    "upper case": Dialect(".ply", written(vertices(names="XYZ", colors="RED GREEN BLUE")), colors=COLORS),
    "diffuse colours": Dialect(
        ".ply", written(vertices(colors="diffuse_red diffuse_green diffuse_blue")), colors=COLORS
    ),
    "faces in a list of another name": Dialect(
        ".ply",
        written(vertices(), lists("corners", [[0, 1, 2]] * 9, "face")),
        log="have no list called vertex_indices and are ignored; the vertices are read as the points",
    ),
    "times of 64 bits": Dialect(
        ".ply",
        written(vertices()).replace(b"\nend_header", b"\nproperty uint64 t\nend_header").partition(b"end_header\n")[0]
        + b"end_header\n"
        + b"".join(row.tobytes() + bytes(8) for row in POINTS.astype("<f8")),
    ),
    "r g b in text": Dialect(".ply", written(vertices(colors="r g b"), text=True), colors=COLORS),
    "16-bit colours": Dialect(".ply", written(vertices(colors="red green blue", scale=257)), colors=COLORS),
    "big-endian": Dialect(".ply", written(vertices(colors="red green blue"), byte_order=">"), colors=COLORS),
    "list before": Dialect(".ply", _with_views(first=True)),
    "list behind": Dialect(".ply", _with_views(first=False)),
    "range grid": Dialect(".ply", written(vertices(), _RANGE)),
    "range grid first": Dialect(".ply", written(_RANGE, vertices())),
    "camera first": Dialect(".ply", written(_CAMERA, vertices(), byte_order=">")),
    "more rows than stated": Dialect(
        ".ply", _PLAIN + b"\0" * 48, log="declares 400 rows of vertex but has room for 2 more"
    ),
    "more rows of text": Dialect(
        ".ply", lines([*rows(POINTS), "1 2 3", "4 5 6"], _TEXT_HEADER), log="rows of vertex but holds 2 more"
    ),
    "trailing bytes": Dialect(".ply", _PLAIN + b"\0" * 37),
    "comment in Latin-1 and GBK": Dialect(".ply", _commented(_PLAIN, _COMMENT)),
    "end_header in a comment": Dialect(".ply", _commented(_PLAIN, b"written before end_header\ncomment end_header")),
    "blank lines": Dialect(".ply", lines([line + "\n" for line in rows(POINTS)], _TEXT_HEADER + "\n")),
    "holes of Windows": Dialect(
        ".ply",
        lines(["-nan(ind) 1.#QNAN 1", *rows(POINTS[1:])], _TEXT_HEADER),
        with_holes([0]),
    ),
    "Windows lines": Dialect(".ply", lines(rows(POINTS), _TEXT_HEADER).replace(b"\n", b"\r\n")),
    "a dummy face": Dialect(
        ".ply", written(vertices(), lists("vertex_indices", [[0, 1, 2]], "face")), log="have no face"
    ),
    "faces for a third": Dialect(
        ".ply",
        written(vertices(), lists("vertex_indices", [[n, n + 1, n + 2] for n in range(130)], "face")),
        log="have no face",
    ),
    "faces without area": Dialect(
        ".ply", written(vertices(), lists("vertex_indices", [[n, n, n] for n in range(400)], "face")), log="no area"
    ),
}

REFUSED_PLY = {
    "bytes that no property names": (
        ".ply",
        re.sub(rb"property uchar \w+\n", b"", written(vertices(colors="red green blue"))),
        "bytes for each of its 400 rows of vertex, and describes",
    ),
    "rows that end early": (
        ".ply",
        written(vertices(), text=True).replace(b"vertex 400", b"vertex 410"),
        "declares 410 of vertex but holds 400 rows of them",
    ),
    "decimal commas": (
        ".ply",
        written(vertices(), text=True).replace(b".", b",").replace(b"1,0\n", b"1.0\n", 1),
        "export it again, with decimal points",
    ),
    "two elements called vertex": (
        ".ply",
        written(vertices(), lists("i", [], "face")).replace(b"face", b"vertex"),
        "2 e",
    ),
    "short": (".ply", _PLAIN[:-1], "declares 400 of vertex"),
    "no coordinates": (".ply", written(vertices(names="uvw")), "no vertex properties x, y, z"),
    "another element": (".ply", written(PlyElement.describe(vertex_table(), "point")), "found point"),
    "lists that end too early": (".ply", _with_views(first=True)[:-9], "vertex"),
    "unknown type": (".ply", _PLAIN.replace(b"property double y", b"property quad y"), "property quad y"),
    "rows of other length": (
        ".ply",
        lines(["1 2 3 4"] * 400, _TEXT_HEADER),
        "has 4 numbers in a row of vertex, expected 3",
    ),
}
