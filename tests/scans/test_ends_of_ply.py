"""PLY files that end with an element that is not read: rows too many or too few are noticed all the same."""

import struct
from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

VALUES = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)


def row_of_lists(count: int) -> bytes:
    return struct.pack(f"<B{count}i", count, *range(count))


VERTICES = VALUES.astype("<f4").tobytes()
TEXT = "".join(" ".join(map(repr, row)) + "\n" for row in VALUES.tolist()).encode()
ELEMENTS = {  # behind the vertices: properties, and rows in a binary file and in a text
    "camera": ("property float f\n", [struct.pack("<f", 1)] * 3, b"1\n" * 3),
    "range_grid": (
        "property list uchar int vertex_indices\n",
        [row_of_lists(1), row_of_lists(0), row_of_lists(1)],
        b"1 0\n0\n1 1\n",
    ),
}


def ply(form: str, stated: int, name: str) -> bytes:
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    head = f"ply\nformat {form} 1.0\nelement vertex {stated}\n{properties}element {name} 3\n{ELEMENTS[name][0]}"
    return f"{head}end_header\n".encode()


@pytest.mark.parametrize("name", ELEMENTS)
@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_elements_that_are_not_read_hide_no_end(
    form: str, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, rows, lines = ELEMENTS[name]
    vertices, others = (TEXT, lines) if form == "ascii" else (VERTICES, b"".join(rows))
    path = tmp_path / "a.ply"
    path.write_bytes(ply(form, 200, name) + vertices + others)
    np.testing.assert_allclose(read_scan(path).points, VALUES)
    assert not caplog.records
    path.write_bytes(ply(form, 200, name) + vertices + others[:-4])
    with pytest.raises(InputError, match=f"declares 3 of {name}"):
        read_scan(path)
    path.write_bytes(ply(form, 170, name) + vertices + others)
    if form == "ascii" or name == "camera":
        assert len(read_scan(path).points) == 170
        assert "not read" in caplog.text
    else:  # lengths of lists are cut out of the vertices that are left
        with pytest.raises(InputError, match="declares 3 of range_grid"):
            read_scan(path)


def test_bytes_behind_the_last_row_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = ply("binary_little_endian", 200, "camera") + VERTICES + b"".join(ELEMENTS["camera"][1])
    for padding in (b"\n", b"\0" * 3, b"\x1a"):
        (tmp_path / "a.ply").write_bytes(content + padding)
        read_scan(tmp_path / "a.ply")
    assert not caplog.records
    (tmp_path / "a.ply").write_bytes(content + b"\0\0\x80\x3f\1")
    read_scan(tmp_path / "a.ply")
    assert "declares 200 rows of vertex, behind which 5 more bytes are not read" in caplog.text


@pytest.mark.parametrize("further", [99, 100])
def test_many_elements_of_lists_would_take_the_file_as_often(further: int, tmp_path: Path) -> None:
    others = "".join(f"element e{number} 1\nproperty list uchar uchar a\n" for number in range(further))
    head = "".join(f"property float {axis}\n" for axis in "xyz")
    header = f"ply\nformat binary_little_endian 1.0\n{others}element vertex {len(VALUES)}\n{head}end_header\n"
    (tmp_path / "a.ply").write_bytes(header.encode() + b"\1\7" * further + VERTICES)
    if further < 100:
        np.testing.assert_array_equal(read_scan(tmp_path / "a.ply").points, VALUES)
    else:
        with pytest.raises(InputError, match="declares 101 elements; give at most 100"):
            read_scan(tmp_path / "a.ply")
