"""Rows that hold something else than numbers, above the first row of numbers."""

import logging
from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

POINTS = np.random.default_rng(0).normal(size=(150, 3)).round(4) * 50 + [10, 20, 300]
WORDS = ["ERR", "------", "no data", "12.5mm", "-.--"]


def write_scan(path: Path, head: str, separator: str, *first: str) -> Path:
    rows = [*first, *(separator.join(map(str, row)) for row in POINTS)]
    path.write_text(head + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("head", ["x,y,z\n", "# x y z\n", "a title\nX [mm],Y [mm],Z [mm]\n"])
@pytest.mark.parametrize("count", [1, 3])
def test_rows_below_names_are_not_lost(head: str, word: str, count: int, tmp_path: Path) -> None:
    for row in ([word, "2.5", "3.5"], ["1.5", "2.5", word]):
        path = write_scan(tmp_path / "a.csv", head, ",", *[",".join(row)] * count)
        with pytest.raises(InputError, match="begins with a row that is not all numbers"):
            read_scan(path)


@pytest.mark.parametrize("word", WORDS[:3])
def test_rows_without_names_are_told_and_are_no_names(
    word: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_scan(tmp_path / "a.csv", "", ",", f"{word},2.5,3.5", f"1.5,{word},3.5")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_scan(path).points, POINTS)
    assert "2 lines with numbers above the first row are not read as points" in caplog.text
    assert "are read as x, y, z" not in caplog.text


@pytest.mark.parametrize("head", ["x y z\nfloat float float\n", "Version 3\nx y z\n", "x y z\nmm mm um\n"])
def test_other_lines_are_not_mentioned(head: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_scan(write_scan(tmp_path / "a.txt", head, " "))
    assert "not read as points" not in caplog.text


@pytest.mark.parametrize("lines", ['"160"', "160;", "+160", "160\n160", "7\n160", "160\n7"])
def test_counts_in_other_notations(lines: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if not lines.endswith("7"):
        with pytest.raises(InputError, match="declares 160 points but holds 150"):
            read_scan(write_scan(tmp_path / "a.pts", f"{lines}\n", " "))
    read_scan(write_scan(tmp_path / "a.xyz", f"{lines}\n", " "))
    assert "150 rows follow the number 160" in caplog.text


def test_one_of_several_counts_fits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.pts", "a.xyz"):
        read_scan(write_scan(tmp_path / name, "2024\n150\n", " "))
    assert not caplog.records


@pytest.mark.parametrize("line", ["zyx", "z/y/x", "# format: ZYX", "Order: y | x | z"])
def test_other_orders_are_told(line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.testing.assert_array_equal(read_scan(write_scan(tmp_path / "a.xyz", f"{line}\n", " ")).points, POINTS)
    assert f"the line {line!r} does not match the 3 columns and is not used" in caplog.text


@pytest.mark.parametrize("line", ["xyz", "x/y/z", "# file of xyz data", "lazy scan", "a zyxel router"])
def test_words_with_these_letters_are_not_mentioned(
    line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_scan(write_scan(tmp_path / "a.xyz", f"{line} 1\n", " "))
    assert "is not used" not in caplog.text


@pytest.mark.parametrize("columns", [3, 10])
@pytest.mark.parametrize(
    "head", ["ncols {0}\nnrows 50\nxllcorner 0\nyllcorner 0\ncellsize 1\nNODATA_value -9999\n", "DSAA\n"]
)
def test_grids_are_height_maps(head: str, columns: int, tmp_path: Path) -> None:
    heights = np.random.default_rng(0).normal(size=(50, columns))
    np.savetxt(tmp_path / "a.asc", heights, header=head.format(columns).rstrip(), comments="")
    with pytest.raises(InputError, match="a grid of heights"):
        read_scan(tmp_path / "a.asc")
