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
    assert read_scan(tmp_path / "b.npz").columns == "x, y, z: the arrays of these names"
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
