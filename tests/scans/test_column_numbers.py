"""A first row that numbers the columns is no point, and commas in front of numbers separate."""

import io
import logging
from pathlib import Path

import numpy as np
import pandas
import pytest
from dialects.base import POINTS

from pointad.scans.files import read_scan

WRITTEN = {
    "frame": {"index": False},
    "frame with its index": {},
    "German frame": {"index": False, "sep": ";", "decimal": ","},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_frames_without_names(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pandas.DataFrame(POINTS).to_csv(tmp_path / "a.csv", **WRITTEN[name])
    with caplog.at_level(logging.WARNING):
        scan = read_scan(tmp_path / "a.csv")
    np.testing.assert_allclose(scan.points, POINTS)
    assert "counts the columns" in caplog.text


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
def test_columns_that_are_counted_from_1(separator: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    head = separator.join("123")
    np.savetxt(tmp_path / "a.txt", POINTS, delimiter=separator, header=head, comments="")
    np.testing.assert_allclose(read_scan(tmp_path / "a.txt").points, POINTS)
    assert "counts the columns" in caplog.text
    whole = np.vstack([[1, 2, 3], np.rint(POINTS)])
    np.savetxt(tmp_path / "a.txt", whole, fmt="%d", delimiter=separator)
    np.testing.assert_array_equal(read_scan(tmp_path / "a.txt").points, whole)
    assert "the first row, 1, 2, 3, is read as a point" in caplog.text


def test_printed_frames(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(pandas.DataFrame(POINTS).to_string())
    np.testing.assert_allclose(read_scan(tmp_path / "a.txt").points, POINTS)


def test_whole_numbers_may_begin_with_0_1_2(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = np.vstack([[0, 1, 2], np.rint(POINTS)]).astype(int)
    np.savetxt(tmp_path / "a.txt", whole, fmt="%d")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_scan(tmp_path / "a.txt").points, whole)
    assert "is read as a point" in caplog.text


def test_numbers_of_columns_above_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",0,1,2\n")
    assert len(read_scan(tmp_path / "a.csv").points) == 1


def test_commas_in_front_of_whole_numbers(tmp_path: Path) -> None:
    whole = np.rint(np.abs(POINTS) * 100).astype(int)
    np.savetxt(tmp_path / "a.csv", whole, fmt="%d", delimiter=" ,")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.csv").points, whole)


def test_text_pcd_with_a_field_that_holds_no_number(tmp_path: Path) -> None:
    table = io.StringIO()
    np.savetxt(table, np.column_stack([np.full(len(POINTS), np.nan), POINTS]), fmt="%.6f")
    count = len(POINTS)
    (tmp_path / "a.pcd").write_text(
        "VERSION 0.7\nFIELDS curvature x y z\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n"
        f"WIDTH {count}\nHEIGHT 1\nPOINTS {count}\nDATA ascii\n{table.getvalue()}"
    )
    np.testing.assert_allclose(read_scan(tmp_path / "a.pcd").points, POINTS)


def test_text_pcd_whose_first_point_is_0_1_2(tmp_path: Path) -> None:
    points = np.concatenate([[[0, 1, 2]], POINTS])
    table = "0 1 2\n" + "".join(f"{x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in POINTS)
    (tmp_path / "a.pcd").write_text(
        "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n"
        f"WIDTH {len(points)}\nHEIGHT 1\nPOINTS {len(points)}\nDATA ascii\n{table}"
    )
    np.testing.assert_allclose(read_scan(tmp_path / "a.pcd").points, points, atol=1e-6)


def test_the_mark_of_dos_at_the_end_of_a_text(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.txt", POINTS, newline="\r\n", footer="\x1a", comments="")
    (tmp_path / "a.txt").write_bytes((tmp_path / "a.txt").read_bytes().rstrip(b"\r\n"))
    np.testing.assert_allclose(read_scan(tmp_path / "a.txt").points, POINTS)
