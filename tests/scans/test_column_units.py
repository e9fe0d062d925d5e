"""Named columns in different units of length are read in one, or refused."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.base import COUNT, POINTS, lines, rows

from pointad.errors import InputError
from pointad.scans.files import read_scan

MIXED = {
    "brackets": "x [mm],y [mm],z [um]",
    "strokes": "x/mm,y/mm,z/\u00b5m",
    "Greek": "x/mm,y/mm,z/\u03bcm",
    "parentheses": "X(m),Y(m),Z(mm)",
    "strokes between blanks": "X / mm,Y / mm,Z / \u00b5m",
    "nothing between": "Xmm,Ymm,Zum",
    "in": "X in mm,Y in mm,Z in \u00b5m",
    "in, underlined": "x_in_mm,y_in_mm,z_in_um",
    "coordinates": "X-Coordinate (mm),Y-Coordinate (mm),Z-Coordinate (um)",
    "words": "X [millimeter],Y [millimeter],Z [micron]",
    "other names": "Easting [mm],Northing [mm],Height [um]",
    "a factor": "x (mm),y (mm),z (1e-3 mm)",
    "a fraction": "x (mm),y (mm),z (1/1000 mm)",
    "a power": "x (mm),y (mm),z (10^-3 mm)",
    "lengths of inches": "x_in,y_in,z_mil",
    "a factor without brackets": "x [mm],y [mm],z 1e-3 mm",
    "a power without brackets": "x mm,y mm,z 10^-3 mm",
    "a factor behind a stroke": "x/mm,y/mm,z/0.001 mm",
    "large lengths": "x [km],y [km],z [m]",
    "separated otherwise": "x [mm] y  [mm] z\t[um]",
    "units alone": "Part 5\nmm,mm,um",
    "units of lost names": "x\nmm,mm,um",
    "line above": "mm,mm,um\nx,y,z",
    "lines around": "Part 5\n[mm],[mm],[um]\n# x y z",
    "line below": "x,y,z\nmm,mm,um",
    "line below in brackets": "# x,y,z\n# [mm],[mm],[um]",
}


def write(path: Path, header: str, points: np.ndarray = POINTS, encoding: str = "utf-8") -> Path:
    path.write_bytes(header.encode(encoding) + b"\n" + lines(rows(points, separator=",")))
    return path


@pytest.mark.parametrize("name", MIXED)
def test_heights_in_a_finer_unit_are_read_in_the_unit_of_x(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        scan = read_scan(write(tmp_path / "a.csv", MIXED[name], POINTS * [1, 1, 1000]))
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-9)
    assert "; all are read in " in caplog.text


def test_the_micro_sign_of_latin_1(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "x [mm],y [mm],z [\u00b5m]", POINTS * [1, 1, 1000], "latin1")
    np.testing.assert_allclose(read_scan(path).points, POINTS, atol=1e-9)
    path = write(tmp_path / "b.csv", "x/mm,y/mm,z/\u00b5m", POINTS * [1, 1, 1000], "latin1")
    np.testing.assert_allclose(read_scan(path).points, POINTS, atol=1e-9)


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "z [um],y [mm],x [mm]", POINTS[:, ::-1] * [1000, 1, 1])
    np.testing.assert_allclose(read_scan(path).points, POINTS, atol=1e-9)


def test_records(tmp_path: Path) -> None:
    records = np.zeros(COUNT, dtype=[("x_mm", "f8"), ("y_mm", "f8"), ("z_um", "f8")])
    for column, name in enumerate(("x_mm", "y_mm", "z_um")):
        records[name] = POINTS[:, column] * (1000 if column == 2 else 1)
    np.save(tmp_path / "a.npy", records)
    np.testing.assert_allclose(read_scan(tmp_path / "a.npy").points, POINTS, atol=1e-9)


@pytest.mark.parametrize(
    "header", ["x [px],y [px],z [um]", "x [mm],y,z [um]", "x_deg,y_deg,z_mm", "x [mm],y [mm],Height [counts]"]
)
def test_what_cannot_be_converted_is_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give x, y and z in one unit"):
        read_scan(write(tmp_path / "a.csv", header))


@pytest.mark.parametrize(
    "header", ["x [mm],y [mm],z [mm]", "x (east),y (north),z (up)", "X_mm,Y_mm,Z_mm", "Xm,Ym,Zm", "x,y,z"]
)
def test_one_unit_is_nothing_to_speak_of(header: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scan = read_scan(write(tmp_path / "a.csv", header))
    np.testing.assert_array_equal(scan.points, POINTS)
    assert not caplog.records


def test_a_unit_behind_the_last_name_counts_for_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scan = read_scan(write(tmp_path / "a.csv", "x,y,z (mm)"))
    np.testing.assert_array_equal(scan.points, POINTS)
    assert "only z states its unit, mm; x and y are assumed to have it too" in caplog.text
    with caplog.at_level(logging.WARNING):
        read_scan(write(tmp_path / "a.csv", "x,y (mm),z (mm)"))
    assert "only y and z state their unit, mm; x is assumed to have it too" in caplog.text


FACTORS = [
    ("mil", 25.4e-3),
    ("thou", 25.4e-3),
    ("dm", 100),
    ("km", 1e6),
    ("yd", 914.4),
    ("\u00c5", 1e-7),
    ("10um", 0.01),
]


@pytest.mark.parametrize("unit", FACTORS, ids=lambda unit: unit[0])
def test_lengths(unit: tuple[str, float], tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"X (mm),Y (mm),Z ({unit[0]})")
    np.testing.assert_allclose(read_scan(path).points, POINTS * [1, 1, unit[1]], rtol=1e-12)


TOLD = {
    "x (mm),y (mm),z (furlongs)": "has coordinates in mm and in 'furlongs', which is not a known unit",
    "x [px],y [px],z [counts]": "x is in 'px', y in 'px' and z in 'counts'; all are read as they are",
    "x [px],y [px],z": "z without a unit",
    "# unit: x mm y mm z um\nx,y,z": "mm and um stand above the rows",
    "mm_x,mm_y,um_z": "mm and um stand above the rows",
    "mm x,mm y,um z": "the columns mm x, mm y, um z are read as x, y, z",
    "a,b,c": "the columns a, b, c are read as x, y, z",
    "x,y,-z": "the columns x, y, -z are read as x, y, z",
    "pos_x,pos_-y,pos_z": "the columns pos_x, pos_-y, pos_z are read as x, y, z",
    "id,x,y,z\nmm,mm,um": "3 units for 4 columns; they are not used",
}


@pytest.mark.parametrize("header", TOLD)
def test_what_may_be_another_unit_is_told(header: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    numbers = [np.arange(COUNT)[:, None]] if "id" in header else []
    path.write_bytes(lines(rows(*numbers, POINTS, separator=","), header))
    with caplog.at_level(logging.WARNING):
        scan = read_scan(path)
    np.testing.assert_array_equal(scan.points, POINTS)
    assert TOLD[header] in caplog.text


def test_names_behind_row_numbers_have_their_units(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.csv"
    table = rows(np.arange(COUNT)[:, None], POINTS * [1, 1, 1000], separator=",")
    path.write_bytes(lines(table, "pt,East [mm],North [mm],Up [um]"))
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(read_scan(path).points, POINTS, atol=1e-9)
    assert "the columns East [mm], North [mm], Up [um] are read as x, y, z" in caplog.text


def test_units_of_other_columns_in_front_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(lines(rows(POINTS[:, :1], POINTS, separator=","), "t,x\n-,mm,mm,um"))
    with pytest.raises(InputError, match="has no columns x, y, z, and begins with ''"):
        read_scan(path)


def test_units_of_fewer_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(lines(rows(POINTS * [1, 1, 1000], np.arange(COUNT)[:, None], separator=","), "x,y,z\nmm,mm,um"))
    np.testing.assert_allclose(read_scan(path).points, POINTS, atol=1e-9)


def test_letters_of_colours_are_no_coordinates_where_all_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begins with 'b', 'g', 'r'"):
        read_scan(write(tmp_path / "a.csv", "b,g,r"))


def test_names_of_pixels_below_a_title_are_no_units(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begins with 'row', 'col', 'index'"):
        read_scan(write(tmp_path / "a.csv", "Some title\nrow,col,index"))
