"""Formats that are text read it in UTF-16 and UTF-32 too, as Windows tools save it, and take no binary file for it."""

from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

ROWS = np.random.default_rng(3).uniform(1, 9, size=(120, 3)).round(3)
LINES = [f"{x} {y} {z}" for x, y, z in ROWS]
FACETS = [
    "facet normal 0 0 1\nouter loop\n" + "".join(f"vertex {line}\n" for line in LINES[start : start + 3]) + "endloop"
    for start in range(0, len(LINES), 3)
]
TEXTS = {
    ".obj": "\n".join(f"v {line}" for line in LINES),
    ".stl": "solid part\n" + "\nendfacet\n".join(FACETS) + "\nendfacet\nendsolid part",
    ".ply": "ply\nformat ascii 1.0\nelement vertex 120\nproperty float x\nproperty float y\nproperty float z\n"
    "end_header\n" + "\n".join(LINES),
    ".pcd": "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 120\nHEIGHT 1\n"
    "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 120\nDATA ascii\n" + "\n".join(LINES),
    ".xyz": "\n".join(LINES),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", list(TEXTS))
def test_text_in_any_unicode_encoding(suffix: str, encoding: str, tmp_path: Path) -> None:
    usual, other = tmp_path / f"usual{suffix}", tmp_path / f"other{suffix}"
    text = TEXTS[suffix].replace("\n", "\r\n") + "\r\n"
    usual.write_bytes(text.encode())
    other.write_bytes(text.encode(encoding))
    np.testing.assert_array_equal(read_scan(other).points, read_scan(usual).points)


def test_a_truncated_text_says_in_which_encoding_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cut.obj"
    path.write_bytes(TEXTS[".obj"].encode("utf-16")[:-1])
    with pytest.raises(InputError, match="not readable as utf-16 text"):
        read_scan(path)


@pytest.mark.parametrize("heading", [b"", b"\xff\xfe", "part of Windows".encode("utf-16-le")])
def test_a_binary_stl_is_no_wide_text_whatever_its_heading(heading: bytes, tmp_path: Path) -> None:
    triangles = np.zeros(40, dtype=[("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    triangles["corners"] = ROWS.reshape(40, 3, 3)
    path, usual = tmp_path / "scan.stl", tmp_path / "usual.stl"
    for file, beginning in ((path, heading), (usual, b"made by hand")):
        file.write_bytes(beginning.ljust(80, b"\0") + np.uint32(40).tobytes() + triangles.tobytes())
    np.testing.assert_array_equal(read_scan(path).points, read_scan(usual).points)
