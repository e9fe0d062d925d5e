"""Tables of points whose first rows hold no numbers, and missing numbers whose sign could begin a comment."""

import logging
from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan

POINTS = np.random.default_rng(0).normal(size=(60, 3)).round(4) * 50 + [10, 20, 300]
HEADS = ("", "# a scan\n", "# Fields: x y z\n", "60\n")
SEPARATORS = {" ": ".xyz", ",": ".csv", ";": ".csv", "\t": ".tsv"}


def write_scan(folder: Path, head: str, separator: str, holes: dict[int, list[str]]) -> Path:
    rows = [separator.join(holes.get(number, map(str, row))) for number, row in enumerate(POINTS)]
    path = folder / f"a{SEPARATORS[separator]}"
    path.write_text(head + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("word", ["NA", "NULL", "---", "***", "?", "nan", ""])
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("count", [1, 7])
def test_points_keep_their_number(
    count: int, separator: str, word: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if separator == " " and not word:
        pytest.skip("blanks separate nothing")
    for head in HEADS:
        path = write_scan(tmp_path, head, separator, dict.fromkeys(range(count), [word] * 3))
        with caplog.at_level(logging.WARNING):
            points = read_scan(path).points
        assert points.shape == POINTS.shape
        assert np.isnan(points[:count]).all()
        np.testing.assert_allclose(points[count:], POINTS[count:])
        assert f"{count} of 60 points are not finite" in caplog.text
        assert "are read as x, y, z" not in caplog.text
        caplog.clear()


@pytest.mark.parametrize(("head", "line"), [("x,y,z\n", "---,---,---"), ("A title\n", ",,"), ("A title\n", "-,-,-")])
def test_lines_below_titles_are_no_points(head: str, line: str, tmp_path: Path) -> None:
    path = write_scan(tmp_path, f"{head}{line}\n", ",", {})
    np.testing.assert_allclose(read_scan(path).points, POINTS)


def test_empty_cells_below_names(tmp_path: Path) -> None:
    path = write_scan(tmp_path, "x\ty\tz\n", "\t", {0: ["", "", ""]})
    np.testing.assert_allclose(read_scan(path).points, [[np.nan] * 3, *POINTS[1:]])


ROUNDED = ["1.#J", "-1.#J", "1.#IO", "-1.#IO", "1.#R", "1.#QO", "1.#QNB", "1.$", "-1.$"]  # with one to four decimals


@pytest.mark.parametrize("word", ["1.#QNAN", "-1.#IND", "1.#INF", "1.#QNAN0", "-1.#IND00", *ROUNDED])
@pytest.mark.parametrize("separator", SEPARATORS)
def test_the_sign_in_windows_nans_begins_no_comment(separator: str, word: str, tmp_path: Path) -> None:
    expected = POINTS.copy()
    expected[[0, 5]], expected[3, 2] = np.nan, np.nan
    behind = [str(value) for value in POINTS[3, :2]] + [word]
    path = write_scan(tmp_path, "", separator, {0: [word] * 3, 3: behind, 5: [word] * 3})
    np.testing.assert_allclose(read_scan(path).points, expected)


def test_comments_behind_numbers_remain_comments(tmp_path: Path) -> None:
    path = write_scan(tmp_path, "", " ", {4: ["1.5", "2.5", "1.#nothing"]})
    np.testing.assert_allclose(read_scan(path).points[4], [1.5, 2.5, 1.0])


@pytest.mark.parametrize("sign", ["#", "//", "!", "%"])
def test_remarks_behind_the_first_rows(sign: str, tmp_path: Path) -> None:
    rows = [[*map(str, row), f"{sign} a remark"] for row in POINTS[:5]]
    path = write_scan(tmp_path, "", " ", dict(enumerate(rows)))
    np.testing.assert_allclose(read_scan(path).points, POINTS)


@pytest.mark.parametrize("row", [",,", "NA,NA,NA", "---,---,---"])
def test_thousands_of_holes_above_the_first_number(row: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.csv"
    path.write_text(f"{row}\n" * 3000 + "".join(f"{x},{y},{z}\n" for x, y, z in POINTS))
    points = read_scan(path).points
    assert np.isnan(points[:3000]).all()
    np.testing.assert_allclose(points[3000:], POINTS)
