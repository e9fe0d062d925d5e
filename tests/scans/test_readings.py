"""Every scan says which numbers of its file were read as coordinates and colours."""

import logging
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pointad.commands.told_readings import Readings
from pointad.scans.files import read_scan
from pointad.scans.pcd import write_pcd
from pointad.scans.reading_words import columns_read


@pytest.fixture(scope="module")
def sphere() -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(200, 3))
    return 10 * points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def colors() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, size=(200, 3))


def _table(path: Path, header: str, columns: list[np.ndarray], separator: str) -> Path:
    names = "" if not header else f"{header}\n"
    rows = np.char.mod("%.4f", np.column_stack(columns))
    path.write_text(names + "\n".join(separator.join(row) for row in rows) + "\n")
    return path


def test_columns_without_names(tmp_path: Path, sphere: np.ndarray) -> None:
    scan = read_scan(_table(tmp_path / "a.xyz", "", [sphere, np.linspace(0, 1, 200) ** 2], " "))
    assert scan.reading == "x, y, z: columns 1, 2, 3 of 4; not used: 4; 200 points"


def test_row_numbers_in_front_shift_the_columns(tmp_path: Path, sphere: np.ndarray, colors: np.ndarray) -> None:
    scan = read_scan(_table(tmp_path / "a.csv", "", [np.arange(200), sphere, colors], ","))
    assert scan.colors is not None
    assert scan.columns == "x, y, z: columns 2, 3, 4 of 7; colours: 5, 6, 7; not used: 1"


def test_names_and_units(tmp_path: Path, sphere: np.ndarray) -> None:
    columns = [sphere[:, 2] * 1000, sphere[:, 0], np.ones(200), sphere[:, 1]]
    scan = read_scan(_table(tmp_path / "a.csv", "z [um],x [mm],quality,y [mm]", columns, ","))
    assert np.allclose(scan.points, sphere, atol=1e-3)
    assert scan.columns == "x, y, z: columns 2 (x [mm]), 4 (y [mm]), 1 (z [um]) of 4, in mm; not used: 3 (quality)"


def test_columns_of_words_keep_the_numbers_of_the_others(tmp_path: Path, sphere: np.ndarray) -> None:
    path = tmp_path / "a.csv"
    path.write_text("part,x,y,z,note\n" + "".join(f"a,{x:.3f},{y:.3f},{z:.3f},b\n" for x, y, z in sphere))
    assert read_scan(path).columns == "x, y, z: columns 2 (x), 3 (y), 4 (z) of 5; not used: 1 (part), 5 (note)"


def test_colours_that_are_refused_are_not_called_colours(tmp_path: Path, sphere: np.ndarray) -> None:
    names = "x,y,z,red,green,blue"
    scan = read_scan(_table(tmp_path / "a.csv", names, [sphere, np.full((200, 3), -7.0)], ","))
    assert scan.colors is None
    assert scan.columns.endswith("not used: 4 (red), 5 (green), 6 (blue)")


def test_arrays(tmp_path: Path, sphere: np.ndarray, colors: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", np.hstack([sphere, colors / 255]))
    assert read_scan(tmp_path / "a.npy").columns == "x, y, z: columns 1, 2, 3 of 6; colours: 4, 5, 6"
    np.savez(tmp_path / "a.npz", cloud=sphere, rgb=colors.astype(np.uint8))
    said = "array 'cloud'; x, y, z: columns 1, 2, 3 of 3; colours: array 'rgb'"
    assert read_scan(tmp_path / "a.npz").columns == said
    np.savez(tmp_path / "b.npz", **dict(zip("xyz", sphere.T, strict=True)))
    assert read_scan(tmp_path / "b.npz").columns == "x, y, z: arrays 'x', 'y', 'z'"
    records = np.zeros(200, dtype=[("z", "f4"), ("time", "f4"), ("y", "f4"), ("x", "f4")])
    np.save(tmp_path / "r.npy", records)
    said = "x, y, z: fields 4 (x), 3 (y), 1 (z) of 4; not used: 2 (time)"
    assert read_scan(tmp_path / "r.npy").columns == said


def test_organized_scans_say_how_much_was_measured(tmp_path: Path) -> None:
    grid = np.random.default_rng(2).uniform(1, 2, size=(20, 30, 3)).astype(np.float32)
    grid[0, :5] = 0
    tifffile.imwrite(tmp_path / "a.tiff", grid, photometric="rgb")
    said = "x, y, z: the three channels, in this order; 20 rows of 30 pixels, 595 of them measured"
    assert read_scan(tmp_path / "a.tiff").reading == said


def test_fields_and_properties(tmp_path: Path, sphere: np.ndarray, colors: np.ndarray) -> None:
    write_pcd(tmp_path / "a.pcd", sphere, colors.astype(np.uint8))
    assert read_scan(tmp_path / "a.pcd").columns == "x, y, z: fields 1 (x), 2 (y), 3 (z) of 4; colours: 4 (rgb)"
    header = "ply\nformat ascii 1.0\nelement vertex 200\n" + "".join(
        f"property float {name}\n" for name in ("nx", "x", "y", "z")
    )
    rows = "".join(f"0 {x} {y} {z}\n" for x, y, z in sphere)
    (tmp_path / "a.ply").write_text(f"{header}end_header\n{rows}")
    said = "x, y, z: properties 2 (x), 3 (y), 4 (z) of 4; not used: 1 (nx); 200 points"
    assert read_scan(tmp_path / "a.ply").reading == said


def test_meshes_say_that_points_were_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    said = "x, y, z: the first three numbers of every v; 300 points drawn from a surface"
    assert read_scan(tmp_path / "a.obj", mesh_points=300).reading == said


def test_long_lists_and_names_are_shortened() -> None:
    names = ["x", "y", "z", "n" * 300, *(f"value {place}" for place in range(20))]
    said = columns_read(24, range(3), (), names)
    assert said.startswith(f"x, y, z: columns 1 (x), 2 (y), 3 (z) of 24; not used: 4 ({'n' * 39}…), 5 (value 0), ")
    assert said.endswith(" and 9 more")


def test_files_of_one_format_that_are_read_differently_are_named(caplog: pytest.LogCaptureFixture) -> None:
    readings = Readings()
    for number in range(3):
        readings.add(Path(f"{number}.csv"), "x, y, z: columns 1, 2, 3 of 3")
    readings.add(Path("part.stl"), "x, y, z: the corners of triangles")
    with caplog.at_level(logging.INFO):
        readings.warn_of_differences()
        assert not caplog.messages
        readings.add(Path("odd.csv"), "x, y, z: columns 2, 3, 4 of 4; not used: 1")
        readings.warn_of_differences()
        readings.tell()
    odd = "odd.csv: x, y, z: columns 2, 3, 4 of 4; not used: 1"
    assert caplog.messages == [
        f"not all .csv files were read alike; most: x, y, z: columns 1, 2, 3 of 3; but {odd}",
        "3 .csv read as x, y, z: columns 1, 2, 3 of 3",
        "1 .stl read as x, y, z: the corners of triangles",
        "1 .csv read as x, y, z: columns 2, 3, 4 of 4; not used: 1",
    ]


def test_arrays_that_are_not_read_are_listed_and_names_in_lower_case_count_first(
    tmp_path: Path, sphere: np.ndarray
) -> None:
    np.savez(tmp_path / "a.npz", X=sphere[:, 1], **dict(zip("xyz", sphere.T, strict=True)))
    scan = read_scan(tmp_path / "a.npz")
    np.testing.assert_array_equal(scan.points, sphere)
    assert scan.columns == "x, y, z: arrays 'x', 'y', 'z'; arrays not used: 'X'"
    np.savez(tmp_path / "b.npz", POINTS=sphere, Points=sphere[:150], scale=np.array(1000))
    said = "array 'POINTS'; x, y, z: columns 1, 2, 3 of 3; arrays not used: 'Points', 'scale'"
    assert read_scan(tmp_path / "b.npz").columns == said
    np.savez(tmp_path / "c.npz", points=sphere, colors=np.full((200, 3), -1.0))
    said = "array 'points'; x, y, z: columns 1, 2, 3 of 3; arrays not used: 'colors'"
    assert read_scan(tmp_path / "c.npz").columns == said


def test_archives_that_differ_in_names_only_are_read_alike(tmp_path: Path, sphere: np.ndarray) -> None:
    colors = np.zeros((200, 3), np.uint8)
    arrays = ({"part_7": sphere}, {"points": sphere, "id": np.array(7)}, {"points": sphere, "rgb": colors})
    manners = []
    for held in arrays:
        np.savez(tmp_path / "a.npz", **held)
        manners.append(read_scan(tmp_path / "a.npz").manner)
    assert manners[0] == manners[1] == "x, y, z: columns 1, 2, 3 of 3; cloud"
    assert manners[2] == "x, y, z: columns 1, 2, 3 of 3; colours: an array; cloud"


def test_axes_are_called_what_they_are_in_the_file(tmp_path: Path, sphere: np.ndarray) -> None:
    grid = np.random.default_rng(2).uniform(1, 2, size=(20, 30, 3)).astype(np.float32)
    for name, values in (("rows", sphere.T), ("planes", np.moveaxis(grid, -1, 0)), ("channels", grid)):
        np.save(tmp_path / "a.npy", values)
        assert read_scan(tmp_path / "a.npy").columns == f"x, y, z: {name} 1, 2, 3 of 3"


def test_images_and_pages_of_a_tiff(tmp_path: Path) -> None:
    grid = np.random.default_rng(2).uniform(1, 2, size=(20, 30, 3)).astype(np.float32)
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, np.moveaxis(grid, -1, 0), photometric="rgb", planarconfig="separate")
    assert read_scan(path).columns == "x, y, z: the three planes, in this order"
    with tifffile.TiffWriter(path) as file:
        for axis in range(3):
            file.write(grid[..., axis])
    assert read_scan(path).columns == "x, y, z: three pages, in this order"
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((20, 30, 3), np.uint8), photometric="rgb")
        file.write(grid, photometric="rgb")
    said = "x, y, z: the three channels, in this order, of image 2 of 2; other images are not used"
    assert read_scan(path).columns == said


def test_faces_and_numbers_behind_coordinates_that_are_not_used(tmp_path: Path, sphere: np.ndarray) -> None:
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in sphere)
    path = tmp_path / "a.obj"
    path.write_text(f"{vertices}f 1 2 3\n")
    assert read_scan(path).columns == "x, y, z: the first three numbers of every v; faces are not used"
    path.write_text(f"v 0 0 1 255 0 0\n{vertices}")
    said = "x, y, z: the first three numbers of every v; not used: what is behind them"
    assert read_scan(path).columns == said


def test_decimal_commas(tmp_path: Path, sphere: np.ndarray) -> None:
    path = _table(tmp_path / "a.csv", "x;y;z", [sphere], ";")
    path.write_text(path.read_text().replace(".", ","))
    assert read_scan(path).columns == "x, y, z: columns 1 (x), 2 (y), 3 (z) of 3; decimal commas"


@pytest.mark.parametrize("first", ["0.5", ""])
def test_names_count_where_rows_end_with_a_separator(tmp_path: Path, sphere: np.ndarray, first: str) -> None:
    rows = "".join(f"{first},{1000 * z:.1f},{x:.4f},{y:.4f},\n" for x, y, z in sphere)
    (tmp_path / "a.csv").write_text(f"roughness,z [um],x [mm],y [mm]\n{rows}")
    scan = read_scan(tmp_path / "a.csv")
    assert np.allclose(scan.points, sphere, atol=1e-3)
    said = "x, y, z: columns 3 (x [mm]), 4 (y [mm]), 2 (z [um]) of 5, in mm; not used: 1 (roughness), 5"
    assert scan.columns == said


def test_surfaces_and_clouds_of_one_format_are_not_alike(tmp_path: Path, sphere: np.ndarray) -> None:
    path = tmp_path / "a.obj"
    path.write_text("".join(f"v {x} {y} {z}\n" for x, y, z in sphere))
    cloud = read_scan(path)
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    surface = read_scan(path)
    assert cloud.columns == surface.columns
    assert cloud.manner != surface.manner


def test_names_are_shown_as_plain_text(tmp_path: Path, sphere: np.ndarray) -> None:
    """A header of NumPy may hold any characters, and half of a pair of surrogates cannot be written as UTF-8."""
    records = np.zeros(len(sphere), dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("?", "<f4")])
    for axis, name in enumerate("xyz"):
        records[name] = sphere[:, axis]
    header = str(records.dtype.descr).replace("'?'", r"'\ud800\x1b[31m'")
    written = f"{{'descr': {header}, 'fortran_order': False, 'shape': ({len(sphere)},), }}\n".encode()
    content = b"\x93NUMPY\x01\x00" + len(written).to_bytes(2, "little") + written + records.tobytes()
    (tmp_path / "a.npy").write_bytes(content)
    assert r"not used: 4 (\ud800\x1b[31m);" in read_scan(tmp_path / "a.npy").reading
