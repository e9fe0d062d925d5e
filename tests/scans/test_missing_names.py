"""Lines with fewer names than columns: the names are those of the columns that hold coordinates, or are refused."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.base import COLORS, COUNT, NORMALS, POINTS, lines, rows

from pointad.errors import InputError
from pointad.scans.files import read_scan

NUMBERS = np.arange(COUNT)[:, None]
INTENSITY = 7 * NUMBERS % 4096 + 200
ONE_MORE = "the last column is taken to be the one without a name"
TABLE = rows(POINTS, INTENSITY)
COMMAS = rows(POINTS, INTENSITY, separator=",")
FOUND = {  # lines, and what the log says
    "intensity": (lines(TABLE, "x y z"), ONE_MORE),
    "behind a comment sign": (lines(TABLE, "# x y z"), ONE_MORE),
    "below a number": (lines(TABLE, f"{COUNT}\n//X Y Z"), ONE_MORE),
    "quoted": (lines(COMMAS, '"x","y","z"'), ONE_MORE),
    "units": (lines(COMMAS, "X [mm],Y [mm],Z [mm]"), ONE_MORE),
    "label": (lines(rows(POINTS, NUMBERS % 2), "x y z"), ONE_MORE),
    "fraction": (lines(rows(POINTS, NORMALS[:, :1]), "x y z"), ONE_MORE),
    "curvature": (lines(rows(POINTS, NORMALS, INTENSITY), "x y z nx ny nz"), ONE_MORE),
    "another order": (lines(rows(POINTS[:, ::-1], INTENSITY), "z y x"), ONE_MORE),
    "behind row numbers": (lines(rows(NUMBERS, POINTS, INTENSITY), "id x y z"), ONE_MORE),
    "behind a title": (lines(TABLE, "# Fields: x y z"), ONE_MORE),
    "title without a colon": (lines(TABLE, "# columns x y z i"), ""),
    "two more": (lines(rows(POINTS, INTENSITY, NUMBERS % 7), "# x y z"), "last 2 columns are taken to be those"),
    "above a comment": (lines(rows(POINTS, INTENSITY, separator="\t"), "X Coord\tY Coord\tZ Coord\n# data"), ONE_MORE),
    "blanks within names": (
        lines(rows(POINTS, NUMBERS % 7, COLORS, separator=","), "x [mm],y [mm],z[mm],i,r"),
        "names 5 columns but has 7 numbers",
    ),
    "one name too many": (lines(rows(POINTS), "x y z i"), "'x y z i' does not match the 3 columns and is not used"),
    "a sentence": (lines(rows(POINTS), "x y z of part 7, scanned"), "does not match the 3 columns"),
    "two names": (lines(rows(POINTS), "x y"), "'x y' does not match the 3 columns and is not used"),
    "nothing behind separators": (lines([f"{row}," for row in rows(POINTS, separator=",")], "x,y,z"), ""),
    "words": (lines([f"{row},good" for row in rows(POINTS, separator=",")], "x,y,z"), ""),
    "selected rows of R": (lines(rows(3 * NUMBERS + 1, POINTS), '"x" "y" "z"'), ""),
    "names of R's rows": (lines([f'"p{n}" {row}' for n, row in enumerate(rows(POINTS))], '"x" "y" "z"'), ""),
    "numbers in a table of R": (lines(rows(NUMBERS + 1, NUMBERS + 1, POINTS), "id x y z"), ""),
}


def read(content: bytes, folder: Path, caplog: pytest.LogCaptureFixture) -> np.ndarray:
    path = folder / "a.csv"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        return read_scan(path).points


@pytest.mark.parametrize("name", FOUND)
def test_the_coordinates_are_those_that_are_named(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content, log = FOUND[name]
    np.testing.assert_allclose(read(content, tmp_path, caplog), POINTS, atol=1e-9)
    assert log in caplog.text if log else not caplog.records


LINES_BELOW = [
    "units: mm",
    "# exported by tool",
    "------",
    "-,-,-",
    "---,---,---",
    "float,float,float",
    "height,width,length",
    "2 of 5 parts",
]


@pytest.mark.parametrize("line", LINES_BELOW)
def test_names_count_above_any_other_line(line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = rows(POINTS[:, ::-1], separator=",")
    np.testing.assert_allclose(read(lines(table, f"Part 7\nz,y,x\n{line}"), tmp_path, caplog), POINTS, atol=1e-9)
    assert not caplog.records


def test_a_hole_of_dashes_below_the_names_is_a_hole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = ["-,-,-", *rows(POINTS[1:], separator=",")]
    table[7] = "-,-,-"
    points = read(lines(table, "x,y,z"), tmp_path, caplog)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(points).any(axis=1)), [0, 7])


def test_quoted_numbers_are_those_of_rs_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = np.rint(POINTS * 1000).astype(int)
    table = [f'"{3 * n}",{row}' for n, row in enumerate(rows(whole, separator=","))]
    np.testing.assert_array_equal(read(lines(table, '"x","y","z"'), tmp_path, caplog), whole)


def test_colours_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(lines(rows(POINTS, COLORS, INTENSITY % 256), "x y z r g b"))
    scan = read_scan(tmp_path / "a.txt")
    np.testing.assert_allclose(scan.points, POINTS, atol=1e-9)
    np.testing.assert_array_equal(scan.colors, COLORS)


def test_colours_behind_the_names_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(lines(rows(POINTS, COLORS), "x y z"))
    np.testing.assert_array_equal(read_scan(tmp_path / "a.txt").colors, COLORS)


REFUSED = {
    "decimal commas": (lines([f"{n // 20},{n % 20},{n + 5},{10 + n % 89}" for n in range(COUNT)], "x,y,z"), "commas"),
    "a label first": (lines(rows(NUMBERS % 2, POINTS), "x y z"), "looks like a label"),
    "times first": (lines(rows(NUMBERS * 0.5 + 1.7e9, POINTS), "x y z"), "looks like times"),
    "another order, two more": (lines(rows(POINTS, NUMBERS, INTENSITY), "x z y"), "names 3 columns but has 5"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(InputError, match=reason):
        read(content, tmp_path, caplog)
