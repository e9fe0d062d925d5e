"""Whole files in the rarer dialects of scans and pictures, to be damaged."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from plyfile import PlyData, PlyElement

_RNG = np.random.default_rng(1)
_POINTS = _RNG.normal(size=(60, 3)).round(3)
_COLORS = _RNG.integers(0, 255, (60, 3), dtype=np.uint8)
_PICTURE = _COLORS.reshape(10, 6, 3)
_GRID = np.concatenate([np.indices((10, 6)).transpose(1, 2, 0), np.full((10, 6, 1), 9.0)], axis=-1)
_FACES = [[0, 1, 2], [3, 4, 5, 6], [7, 8], [9, 10, 11, 12, 13]]


def _lines(rows: list[str], header: str = "") -> bytes:
    return "\n".join([*([header] if header else []), *rows, ""]).encode()


def _rows(separator: str, comma: bool = False) -> list[str]:
    text = [separator.join(f"{value:g}" for value in point) for point in _POINTS]
    return [line.replace(".", ",") for line in text] if comma else text


def _ply(text: bool, element: str, name: str, values: list[list[int]]) -> bytes:
    vertices = np.zeros(len(_POINTS), dtype=[("views", object), ("x", "f4"), ("y", "f4"), ("z", "f4"), ("r", "u1")])
    vertices["views"] = [np.arange(number % 3, dtype=np.int32) for number in range(len(_POINTS))]
    for axis, field in enumerate("xyz"):
        vertices[field] = _POINTS[:, axis]
    lists = np.empty(len(values), dtype=[(name, object)])
    lists[name] = [np.array(value, dtype=np.int32) for value in values]
    elements = [
        PlyElement.describe(vertices, "vertex", len_types={"views": "u1"}, val_types={"views": "i4"}),
        PlyElement.describe(lists, element, len_types={name: "u1"}, val_types={name: "i4"}),
    ]
    buffer = io.BytesIO()
    PlyData(elements, text=text, byte_order="<").write(buffer)
    return buffer.getvalue()


def _pcd(kind: str, height: int, compressed: bool = False) -> bytes:
    size = int(kind[1])
    count = len(_POINTS)
    header = (
        f"VERSION .7\nFIELDS x y z _ x\nSIZE {size} {size} {size} 1 2\nTYPE F F F U U\nCOUNT 1 1 1 3 0\n"
        f"WIDTH {count // height}\nHEIGHT {height}\nPOINTS {count}\nDATA binary{'_compressed' if compressed else ''}\n"
    ).encode()
    table = np.zeros(count, dtype=[("p", kind, (3,)), ("c", "u1", (3,))])
    table["p"], table["c"] = _POINTS, _COLORS
    if not compressed:
        return header + table.tobytes()
    content = _POINTS.T.astype(kind).tobytes() + _COLORS.tobytes()
    pieces = [content[start : start + 32] for start in range(0, len(content), 32)]
    packed = b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)
    return header + struct.pack("<II", len(packed), len(content)) + packed


def _obj() -> bytes:
    vertices = [f"v {x} {y} {z} {r} {g} {b} # c" for (x, y, z), (r, g, b) in zip(_POINTS, _COLORS, strict=True)]
    groups = [line for number in range(0, 60, 4) for line in (*vertices[number : number + 4], "f -4/1/1 -3//2 -2 -1/3")]
    return _lines(groups, "mtllib a.mtl\no part")


def _stl_text() -> bytes:
    facets = [
        "facet normal 0 0 1\nouter loop\n"
        + "".join(f"vertex {x} {y} {z}\n" for x, y, z in _POINTS[start : start + 3])
        + "endloop\nendfacet"
        for start in range(0, 60, 3)
    ]
    return _lines([*facets, "endsolid part"], "solid part")


def _tiff_pages(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        file.write(_PICTURE, photometric="rgb", metadata=None)
        for axis in range(3):
            file.write(_GRID[..., axis].astype(np.float32), photometric="minisblack", metadata=None)


def _records(path: Path) -> None:
    records = np.zeros(
        60, dtype=[("x", "f4"), ("y", "f4"), ("z", "f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
    )
    for axis, name in enumerate("xyz"):
        records[name] = _POINTS[:, axis]
    np.save(path, records)


def _turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(_PICTURE).save(path, exif=exif)


def _labelled(path: Path) -> None:
    """The ground truth beside its scan."""
    np.save(path.with_name("scan.npy"), _POINTS)
    path.write_bytes(_lines([f"{row} {number % 2}" for number, row in enumerate(_rows(" "))]))


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


_INDEX = [f"{number};{row}" for number, row in enumerate(_rows(";", comma=True))]
_GAPS = [row if number % 7 else ",," for number, row in enumerate(_rows(","))]
SCAN_WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "csv_named": ("cloud.csv", _bytes(_lines(_INDEX, "id;X [mm];Y [mm];Z [mm]"))),
    "csv_gaps": ("cloud.csv", _bytes(_lines(_GAPS, '"x","y","z"'))),
    "text_utf16": ("cloud.txt", _bytes(_lines(_rows("\t", comma=True)).decode().encode("utf-16"))),
    "pts": ("cloud.pts", _bytes(_lines([f"{row} 7 1 2 3" for row in _rows(" ")], "60"))),
    "ply_lists": ("cloud.ply", _bytes(_ply(False, "face", "vertex_indices", _FACES))),
    "ply_lists_ascii": ("cloud.ply", _bytes(_ply(True, "face", "vertex_index", _FACES))),
    "ply_strips": ("mesh.ply", _bytes(_ply(False, "tristrips", "vertex_indices", [[0, 1, 2, 3, -1, 5, 6, 7]]))),
    "pcd_grid": ("scan.pcd", _bytes(_pcd("f4", 6))),
    "pcd_doubles": ("cloud.pcd", _bytes(_pcd("f8", 1, compressed=True))),
    "obj_relative": ("mesh.obj", _bytes(_obj())),
    "stl_ascii": ("mesh.stl", _bytes(_stl_text())),
    "tiff_pages": ("scan.tiff", _tiff_pages),
    "npy_planes": ("scan.npy", lambda path: np.save(path, np.tile(np.moveaxis(_GRID, -1, 0), 9)[None])),
    "npy_records": ("cloud.npy", _records),
    "npz_axes": ("cloud.npz", lambda path: np.savez(path, x=_POINTS[:, 0], y=_POINTS[:, 1], z=_POINTS[:, 2])),
    "npz_unnamed": ("scan.npz", lambda path: np.savez_compressed(path, part=_GRID, rgba=_PICTURE)),
    "png_16": ("grey.png", lambda path: Image.fromarray(_COLORS.astype(np.uint16) * 257).save(path)),
    "jpeg_turned": ("photo.jpg", _turned),
    "tiff_picture": ("photo.tif", lambda path: Image.fromarray(_COLORS / np.float32(255)).save(path)),
    "webp": ("photo.webp", lambda path: Image.fromarray(_PICTURE).save(path, lossless=True)),
    "mask_rgba": ("mask.png", lambda path: Image.fromarray(np.dstack([_PICTURE, _PICTURE[..., 0] // 128])).save(path)),
    "labelled": ("truth.txt", _labelled),
    "labels": ("labels.txt", _bytes(_lines([f"{number % 2},000" for number in range(60)]))),
}
"""Name of the reader -> name of the file, and what writes it."""
