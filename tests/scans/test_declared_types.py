"""Texts whose headers declare types that cannot hold their numbers, and whole numbers of 64 bits in `.ply` files."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

POINTS = np.random.default_rng(0).normal(size=(300, 3)).round(3) * [3, 2, 5]
COLORS = np.random.default_rng(1).integers(0, 256, (300, 3))
SIDE = 20  # vertices along the side of a mesh
VERTICES = np.stack(
    [*np.meshgrid(np.arange(SIDE) / 2, np.arange(SIDE) / 2), np.sin(np.indices((SIDE, SIDE)).sum(axis=0))], axis=-1
).reshape(-1, 3)


def ply_text(kinds: str, rows: np.ndarray) -> str:
    names = ("x", "y", "z", "red", "green", "blue")
    properties = "".join(f"property {kind} {name}\n" for kind, name in zip(kinds.split(), names, strict=False))
    lines = "\n".join(" ".join(f"{number:g}" for number in row) for row in rows)
    return f"ply\nformat ascii 1.0\nelement vertex {len(rows)}\n{properties}end_header\n{lines}\n"


def pcd_text(kind: str, rows: np.ndarray) -> str:
    colors = ["rgb"] if rows.shape[1] == 4 else ["r", "g", "b"]
    count, size = len(colors), "4" if len(colors) == 1 else "1"
    header = f"FIELDS x y z {' '.join(colors)}\nSIZE 8 8 8{f' {size}' * count}\nTYPE F F F{f' {kind}' * count}\n"
    lines = "\n".join(" ".join(f"{number:.12g}" for number in row) for row in rows)
    return f"VERSION 0.7\n{header}WIDTH {len(rows)}\nHEIGHT 1\nPOINTS {len(rows)}\nDATA ascii\n{lines}\n"


def faces(varying: bool) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for row in range(SIDE - 1):
        for first in range(row * SIDE, row * SIDE + SIDE - 1):
            below = first + SIDE
            if varying and first % 2:
                found.append((first, first + 1, below + 1, below))
            else:
                found += [(first, first + 1, below), (first + 1, below + 1, below)]
    return found


def ply_mesh(length: str, kind: str, *, varying: bool, form: str) -> bytes:
    codes = {"uchar": "B", "int": "i", "int64": "q", "uint64": "Q", "double": "d"}
    corners = faces(varying)
    header = f"ply\nformat {form} 1.0\nelement vertex {len(VERTICES)}\n"
    header += "".join(f"property double {axis}\n" for axis in "xyz")
    header += f"element face {len(corners)}\nproperty list {length} {kind} vertex_indices\nend_header\n"
    if form == "ascii":
        rows = [*VERTICES.tolist(), *([len(face), *face] for face in corners)]
        return (header + "\n".join(" ".join(map(str, row)) for row in rows) + "\n").encode()
    order = "<" if form == "binary_little_endian" else ">"
    rows_of_faces = (
        struct.pack(f"{order}{codes[length]}{len(face)}{codes[kind]}", len(face), *face) for face in corners
    )
    return header.encode() + VERTICES.astype(f"{order}f8").tobytes() + b"".join(rows_of_faces)


@pytest.mark.parametrize("kind, factor", [("int", 1), ("uchar", 100), ("int", 1e9), ("uint", 100)])
def test_coordinates_that_their_type_cannot_hold_are_read_as_written(
    tmp_path: Path, kind: str, factor: float, caplog: pytest.LogCaptureFixture
) -> None:
    points = np.rint(POINTS * factor) if factor > 1 else POINTS
    (tmp_path / "a.ply").write_text(ply_text(f"{kind} {kind} {kind}", points))
    np.testing.assert_allclose(read_scan(tmp_path / "a.ply").points, points, rtol=1e-5)
    assert "for x, y, z that its type" in caplog.text


@pytest.mark.parametrize("scale", [1 / 255, 257], ids=["from 0 to 1", "16-bit"])
def test_colours_that_their_type_cannot_hold_are_read_as_written(
    tmp_path: Path, scale: float, caplog: pytest.LogCaptureFixture
) -> None:
    rows = np.column_stack([POINTS, COLORS * scale])
    (tmp_path / "a.ply").write_text(ply_text("double double double uchar uchar uchar", rows))
    (tmp_path / "a.pcd").write_text(pcd_text("U", rows))
    for name in ("a.ply", "a.pcd"):
        caplog.clear()
        np.testing.assert_allclose(read_scan(tmp_path / name).colors, COLORS, atol=1)
        assert caplog.text.count("cannot hold") == 1


@pytest.mark.parametrize("kind, offset", [("F", 0), ("I", 0), ("U", 0), ("I", -(2**32)), ("U", -(2**32))])
def test_packed_colours_with_alpha_in_ascii_pcd(
    tmp_path: Path, kind: str, offset: int, caplog: pytest.LogCaptureFixture
) -> None:
    packed = COLORS @ [2**16, 2**8, 1] + 255 * 2**24 + offset
    (tmp_path / "a.pcd").write_text(pcd_text(kind, np.column_stack([POINTS, packed])))
    np.testing.assert_array_equal(read_scan(tmp_path / "a.pcd").colors, COLORS)
    assert not caplog.text


def test_numbers_that_fit_are_not_mentioned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = np.column_stack([np.rint(POINTS * 1000), COLORS])
    (tmp_path / "a.ply").write_text(ply_text("int int int uchar uchar uchar", rows))
    scan = read_scan(tmp_path / "a.ply")
    np.testing.assert_array_equal(scan.points, rows[:, :3])
    np.testing.assert_array_equal(scan.colors, COLORS)
    assert "cannot hold" not in caplog.text


def test_vertices_that_their_type_cannot_number_are_read_as_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "right.ply").write_bytes(ply_mesh("uchar", "int", varying=False, form="ascii"))
    (tmp_path / "wrong.ply").write_bytes(ply_mesh("uchar", "uchar", varying=False, form="ascii"))
    right = read_scan(tmp_path / "right.ply")
    assert right.is_mesh and not caplog.text
    np.testing.assert_array_equal(read_scan(tmp_path / "wrong.ply").points, right.points)
    assert "vertex_indices that its type (uint8) cannot hold" in caplog.text


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("kind", ["int64", "uint64", "double"])
@pytest.mark.parametrize("varying", [False, True])
def test_vertices_numbered_with_64_bits(
    tmp_path: Path, form: str, kind: str, varying: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (tmp_path / "right.ply").write_bytes(ply_mesh("uchar", "int", varying=varying, form=form))
    (tmp_path / "wide.ply").write_bytes(ply_mesh("uchar", kind, varying=varying, form=form))
    np.testing.assert_array_equal(read_scan(tmp_path / "wide.ply").points, read_scan(tmp_path / "right.ply").points)
    assert not caplog.text


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_lengths_of_64_bits(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.ply").write_bytes(ply_mesh("int64", "int", varying=False, form=form))
    assert read_scan(tmp_path / "a.ply").is_mesh
    (tmp_path / "b.ply").write_bytes(ply_mesh("int64", "int", varying=True, form=form))
    with pytest.raises(InputError, match="lengths are numbers of 64 bits"):
        read_scan(tmp_path / "b.ply")


def test_numbers_of_vertices_that_are_not_whole(tmp_path: Path) -> None:
    content = ply_mesh("uchar", "double", varying=False, form="ascii")
    (tmp_path / "a.ply").write_bytes(content.replace(b"\n3 0 1 20\n", b"\n3 0 1.5 20\n"))
    with pytest.raises(InputError, match="not whole"):
        read_scan(tmp_path / "a.ply")


@pytest.mark.parametrize("row", [0, -1])
def test_lists_of_negative_length(tmp_path: Path, row: int) -> None:
    corners = [(first, first + 1, first + SIDE) for first in range(len(VERTICES) - SIDE)]
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(VERTICES)}\n"
    header += "".join(f"property double {axis}\n" for axis in "xyz")
    header += f"element face {len(corners)}\nproperty list char int vertex_indices\nend_header\n"
    lengths = [3] * len(corners)
    lengths[row] = -3
    body = b"".join(struct.pack("<b3i", length, *face) for length, face in zip(lengths, corners, strict=True))
    (tmp_path / "a.ply").write_bytes(header.encode() + VERTICES.astype("<f8").tobytes() + body)
    with pytest.raises(InputError, match="face"):
        read_scan(tmp_path / "a.ply")


def test_long_polygons_whose_length_overflows_its_type(tmp_path: Path) -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(200)])
    scans = []
    for kind in ("uchar", "char"):
        header = "ply\nformat binary_little_endian 1.0\nelement vertex 200\n"
        header += "".join(f"property double {axis}\n" for axis in "xyz")
        header += f"element face 2\nproperty list {kind} int vertex_indices\nend_header\n"
        body = struct.pack("<B3i", 3, 0, 1, 2) + struct.pack("<B200i", 200, *range(200))
        (tmp_path / f"{kind}.ply").write_bytes(header.encode() + ring.tobytes() + body)
        scans.append(read_scan(tmp_path / f"{kind}.ply").points)
    np.testing.assert_array_equal(*scans)
