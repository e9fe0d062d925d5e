"""TIFFs without some of their strips, headers that say something twice, facets that are no triangles, and ####."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pointad.errors import InputError
from pointad.files.masks import read_mask
from pointad.files.pictures import read_picture
from pointad.scans.files import read_scan
from pointad.scans.stl import read_stl

OFFSETS, COUNTS = 273, 279  # tags
POINTS = np.random.default_rng(0).normal(size=(60, 3)).round(3)
GRID = np.random.default_rng(0).uniform(1, 2, size=(64, 64, 3)).astype(np.float32)
MASK = np.where(GRID[..., 0] > 1.9, 255, 0).astype(np.uint8)


def write_without_strip(path: Path, values: np.ndarray, compression: str | None, tags: tuple[int, ...]) -> None:
    """Write a TIFF of eight strips, of which these tags state 0 for the fourth."""
    kind = "minisblack" if values.ndim == 2 else "rgb"
    tifffile.imwrite(path, values, photometric=kind, rowsperstrip=8, compression=compression)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for tag in (file.pages[0].tags[number] for number in tags):
            form = {3: "<H", 4: "<I"}[tag.dtype]
            struct.pack_into(form, content, tag.valueoffset + 3 * struct.calcsize(form), 0)
    path.write_bytes(content)


@pytest.mark.parametrize("tags", [(OFFSETS,), (COUNTS,), (OFFSETS, COUNTS)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_strips_that_are_missing(compression: str | None, tags: tuple[int, ...], tmp_path: Path) -> None:
    write_without_strip(tmp_path / "a.tiff", GRID, compression, tags)
    with pytest.raises(InputError, match="lacks some of its strips"):
        read_scan(tmp_path / "a.tiff")
    write_without_strip(tmp_path / "mask.tif", MASK, compression, tags)
    with pytest.raises(InputError, match="lacks some of its strips"):
        read_mask(tmp_path / "mask.tif")
    with pytest.raises(InputError, match="lacks some of its strips"):
        read_picture(tmp_path / "mask.tif", "grey")


def write_pcd(path: Path, more: str = "", counts: str = "1 1 1") -> None:
    rows = "\n".join(" ".join(map(str, row)) for row in POINTS.tolist())
    head = f"VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT {counts}\n{more}WIDTH 60\nHEIGHT 1\nPOINTS 60\n"
    path.write_text(f"{head}DATA ascii\n{rows}\n")


@pytest.mark.parametrize("line", ["FIELDS z y x", "COLUMNS z y x", "TYPE U U U", "WIDTH 30", "POINTS 30"])
def test_lines_of_a_pcd_header_that_differ(line: str, tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.pcd", f"{line}\n")
    keyword = line.split()[0].replace("COLUMNS", "FIELDS")
    with pytest.raises(InputError, match=f"has two lines {keyword} in its header"):
        read_scan(tmp_path / "a.pcd")


def test_lines_of_a_pcd_header_that_are_equal(tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.pcd", "COLUMNS x y z\nTYPE F F F\n")
    np.testing.assert_allclose(read_scan(tmp_path / "a.pcd").points, POINTS, rtol=1e-6)


def test_coordinates_of_several_numbers(tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.pcd", counts="2 1 1")
    with pytest.raises(InputError, match=r"a number each; found x \(COUNT 2\) y z"):
        read_scan(tmp_path / "a.pcd")


def test_byte_orders_of_a_ply_that_differ(tmp_path: Path) -> None:
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    orders = "format binary_little_endian 1.0\nformat binary_big_endian 1.0\n"
    head = f"ply\n{orders}element vertex 60\n{properties}end_header\n"
    (tmp_path / "a.ply").write_bytes(head.encode() + POINTS.astype("<f4").tobytes())
    with pytest.raises(InputError, match="has two lines format in its header"):
        read_scan(tmp_path / "a.ply")


def facets(lengths: tuple[int, ...], more: str = "") -> str:
    """A text STL called by words that its facets are made of."""
    rows = iter(np.random.default_rng(0).normal(size=(sum(lengths), 3)).round(3).tolist())
    text = "solid one\n"
    for length in lengths:
        corners = "".join(f"vertex {x} {y} {z}{more}\n" for x, y, z in (next(rows) for _ in range(length)))
        text += f"facet normal 0 0 1\nouter loop\n{corners}endloop\nendfacet\n"
    return text + "endsolid one vertex\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (facets((2, 4) * 20), "has facets that are no triangles"),
        (facets((3,) * 40, " 7"), "has vertices of more than three numbers"),
    ],
)
def test_facets_that_are_no_triangles(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_text(text)
    with pytest.raises(InputError, match=said):
        read_scan(tmp_path / "a.stl")


@pytest.mark.parametrize("name", ["vertex", "a vertex b c d", "4 vertex 1 2 3", "endfacet", "facet of an end facet"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_solids_called_like_parts_of_facets(name: str, end: str, tmp_path: Path) -> None:
    text = "".join(facets((3,) * 40).replace("one vertex", name).replace("one", name) for _ in range(2))
    (tmp_path / "a.stl").write_text(text, newline=end)
    assert len(read_stl(tmp_path / "a.stl").vertices) == 2 * 3 * 40


@pytest.mark.parametrize("name", ["part", "a part whose name is longer than the header of a binary file " + "n" * 60])
def test_solids_without_facets(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_text(f"solid {name}\nendsolid {name}\n")
    with pytest.raises(InputError, match="holds no triangles"):
        read_stl(tmp_path / "a.stl")


@pytest.mark.parametrize("separator", [",", ";", "\t", "; "])
@pytest.mark.parametrize("places", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize(("cell", "end"), [("{}", ""), ("{}", "separator"), ('"{}"', ""), ("{}", "separator good")])
def test_numbers_that_a_spreadsheet_had_no_room_for(
    cell: str, end: str, places: tuple[int, ...], separator: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [[str(value) for value in row] for row in POINTS.tolist()]
    for row in rows[1::7]:
        for place in places:
            row[place] = "####"
    end = end.replace("separator", separator)
    lines = "\n".join(separator.join(map(cell.format, row)) + end for row in rows)
    (tmp_path / "a.csv").write_text(separator.join("xyz") + f"\n{lines}\n########\n## the end\n")
    points = read_scan(tmp_path / "a.csv").points
    assert len(points) == 60, "scores are those of the rows of the file"
    np.testing.assert_array_equal(np.flatnonzero(~np.isfinite(points).all(axis=1)), np.arange(1, 60, 7))
    assert "9 of 60 points are not finite" in caplog.text


@pytest.mark.parametrize(
    ("places", "more"),
    [((0,), ""), ((1,), ""), ((2,), ""), ((0, 1), ""), ((0, 1), "   7"), ((0, 1, 2), ""), ((0, 1, 2), "   7")],
)
def test_numbers_without_room_between_blanks(places: tuple[int, ...], more: str, tmp_path: Path) -> None:
    """As in a spreadsheet's formatted text; a row of nothing else would be a comment, and is not lost."""
    rows = [[f"{value:10.3f}" for value in row] for row in POINTS.tolist()]
    for row in rows[1::7]:
        for place in places:
            row[place] = "       ###"
    (tmp_path / "a.txt").write_text(
        "#### a title ####\n" + "".join(map(f"{{}}{{}}{{}}{more}\n".format, *zip(*rows, strict=True)))
    )
    if places != (0,):
        with pytest.raises(InputError, match="the number of columns changed from"):
            read_scan(tmp_path / "a.txt")
        return
    points = read_scan(tmp_path / "a.txt").points
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(points[:, 0])), np.arange(1, 60, 7))
    np.testing.assert_allclose(points[::7], POINTS[::7])
