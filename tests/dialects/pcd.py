"""PCD files beyond those of PCL's own examples."""

import io
import struct

import numpy as np

from dialects.base import COLORS, GRID, GRID_COLORS, POINTS, Dialect, lines, rows


def header(
    fields: str, sizes: str, types: str, counts: str, count: int, height: int = 1, data: str = "binary"
) -> bytes:
    """The lines before the points."""
    return (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE {sizes}\nTYPE {types}\nCOUNT {counts}\n"
        f"WIDTH {count // height}\nHEIGHT {height}\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {count}\nDATA {data}\n"
    ).encode()


def records(points: np.ndarray, kind: str, colors: np.ndarray | None = None, names: str = "xyz") -> bytes:
    """Points with r, g, b as bytes behind them."""
    fields = [(name, kind) for name in names] + ([(name, "u1") for name in "rgb"] if colors is not None else [])
    table = np.zeros(len(points), dtype=fields)
    for axis, name in enumerate(names):
        table[name] = points[:, axis]
    for axis, name in enumerate("rgb"):
        if colors is not None:
            table[name] = colors[:, axis]
    return table.tobytes()


def lzf_literals(content: bytes) -> bytes:
    """Bytes in the LZF format, uncompressed: runs of at most 32."""
    out = io.BytesIO()
    for start in range(0, len(content), 32):
        piece = content[start : start + 32]
        out.write(bytes([len(piece) - 1]) + piece)
    return out.getvalue()


def _compressed_doubles() -> bytes:
    content = b"".join(POINTS[:, axis].astype("<f8").tobytes() for axis in range(3))
    packed = lzf_literals(content)
    head = header("x y z", "8 8 8", "F F F", "1 1 1", len(POINTS), data="binary_compressed")
    return head + struct.pack("<II", len(packed), len(content)) + packed


_PACKED = COLORS.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
_GRID = GRID.reshape(-1, 3)
PCD = {
    "r g b": Dialect(
        ".pcd",
        header("x y z r g b", "8 8 8 1 1 1", "F F F U U U", "1 1 1 1 1 1", 400) + records(POINTS, "<f8", COLORS),
        colors=COLORS,
    ),
    "upper case": Dialect(".pcd", header("X Y Z", "8 8 8", "F F F", "1 1 1", 400) + records(POINTS, "<f8")),
    "COUNT 0": Dialect(".pcd", header("x y z nothing", "8 8 8 4", "F F F F", "1 1 1 0", 400) + records(POINTS, "<f8")),
    "names twice": Dialect(
        ".pcd",
        header("x y z x _ _", "8 8 8 1 1 1", "F F F U U U", "1 1 1 1 1 1", 400) + records(POINTS, "<f8", COLORS),
    ),
    "doubles compressed": Dialect(".pcd", _compressed_doubles()),
    "grid": Dialect(
        ".pcd",
        header("x y z r g b", "8 8 8 1 1 1", "F F F U U U", "1 1 1 1 1 1", 480, height=20)
        + records(_GRID, "<f8", GRID_COLORS.reshape(-1, 3)),
        GRID,
        GRID_COLORS,
    ),
    "a long grid": Dialect(
        ".pcd",
        header("x y z", "8 8 8", "F F F", "1 1 1", 400, height=4) + records(POINTS, "<f8"),
        log="too elongated for an organized scan",
    ),
    "whole colours in text": Dialect(
        ".pcd",
        header("x y z rgb", "4 4 4 4", "F F F F", "1 1 1 1", 400, data="ascii") + lines(rows(POINTS, _PACKED[:, None])),
        colors=COLORS,
    ),
    "colours of 0 and 1 in text": Dialect(
        ".pcd",
        header("x y z r g b", "4 4 4 1 1 1", "F F F U U U", "1 1 1 1 1 1", 400, data="ascii")
        + lines(rows(POINTS, COLORS // 128)),
        colors=COLORS // 128,
    ),
    "colours that text has lost": Dialect(  # packed with alpha they are nan
        ".pcd",
        header("x y z rgb", "4 4 4 4", "F F F F", "1 1 1 1", 400, data="ascii")
        + lines([f"{row} nan" for row in rows(POINTS)]),
    ),
    "another width": Dialect(
        ".pcd",
        header("x y z", "8 8 8", "F F F", "1 1 1", 400).replace(b"WIDTH 400", b"WIDTH 300") + records(POINTS, "<f8"),
        log="declares 400 points but 300 x 1 of them; 400 are read",
    ),
    "more points than stated": Dialect(
        ".pcd",
        header("x y z", "8 8 8", "F F F", "1 1 1", 400) + records(POINTS, "<f8") + bytes(72),
        log="declares 400 points but has room for 3 more",
    ),
    "a page of zeros": Dialect(
        ".pcd",
        header("x y z", "8 8 8", "F F F", "1 1 1", 400) + records(POINTS, "<f8") + bytes(1600),
        log="declares 400 points, behind which 1600 more bytes are not read",
    ),
    "an old version": Dialect(
        ".pcd", b"COLUMNS x y z\nSIZE 8 8 8\nTYPE F F F\nPOINTS 400\nDATA binary\n" + records(POINTS, "<f8")
    ),
    "decimal commas": Dialect(
        ".pcd",
        header("x y z", "4 4 4", "F F F", "1 1 1", 400, data="ascii") + lines(rows(POINTS, comma=True)),
        log="decimal signs",
    ),
}

REFUSED_PCD = {
    "a column that no field names": (
        ".pcd",
        header("x y z", "4 4 4", "F F F", "1 1 1", 400, data="ascii")
        + lines([f"{place} {row}" for place, row in enumerate(rows(POINTS))]),
        "has 4 numbers in a row, expected 3 for its fields",
    ),
    "bytes that no field names": (
        ".pcd",
        header("x y z", "8 8 8", "F F F", "1 1 1", 400) + records(POINTS, "<f8", COLORS),
        "holds 27 bytes for each of its 400 points, and describes 24",
    ),
    "bytes that no field names, as many as some points have": (
        ".pcd",
        header("x y z", "4 4 4", "F F F", "1 1 1", 300) + records(POINTS[:300], "<f4", COLORS[:300]) + b"\1" * 300,
        "holds 16 bytes for each of its 300 points, and describes 12",
    ),
    "COUNT 1000 of nothing": (
        ".pcd",
        header("x y z f", "4 4 4 8", "F F F F", "1 1 1 1000", 5_000_000, data="ascii") + b"0 0 1 2\n" * 9000,
        "holds only",
    ),
    "more bytes than are there": (
        ".pcd",
        header("x y z", "4 4 4", "F F F", "1 1 1", 400) + b"\0" * 100,
        "holds 100 of 4800 bytes",
    ),
    "a point of a megabyte": (
        ".pcd",
        header("x y z f", "4 4 4 8", "F F F F", "1 1 1 200000", 1) + b"\0" * 100,
        "more than 100000 bytes",
    ),
}
