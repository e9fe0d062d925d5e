"""Digits in groups of three are refused wherever they cannot be decimals."""

from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans.files import read_scan

NUMBERS = np.random.default_rng(0).integers(-90_000, 90_000, size=(200, 3))
NUMBERS[::3, 0] = np.random.default_rng(1).integers(0, 1000, size=67)


def grouped(number: float) -> str:
    return f"{number:,}"


def excel(number: int) -> str:
    return f'"{number:,}"' if abs(number) > 999 else str(number)


@pytest.mark.parametrize(
    ("header", "separator", "written"),
    [
        ("x;y;z\n", ";", grouped),
        ("", "\t", grouped),
        ("", " ", grouped),
        ("x,y,z\n", ",", excel),
        ("x;y;z\n", ";", lambda number: grouped(number).replace(",", ".")),
    ],
)
def test_grouped_whole_numbers_are_refused(header: str, separator: str, written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.csv"
    path.write_text(header + "".join(separator.join(map(written, row)) + "\n" for row in NUMBERS.tolist()))
    with pytest.raises(InputError, match="digits in groups of three"):
        read_scan(path)


@pytest.mark.parametrize(
    "form", [lambda v: f"{v:.3f}", lambda v: f"{v:g}", lambda v: f"{v:.3f}".rstrip("0").rstrip(".")]
)
@pytest.mark.parametrize("sign", [",", "."])
def test_decimals_are_read(form, sign: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    points = np.round(np.random.default_rng(2).uniform(1, 900, size=(2000, 3)), 3)
    points[::7, 1] = np.round(points[::7, 1])
    path = tmp_path / "a.csv"
    rows = [";".join([*(form(v).replace(".", sign) for v in row), str(k % 256)]) for k, row in enumerate(points)]
    path.write_text("x;y;z;intensity\n" + "\n".join(rows) + "\n")
    assert np.allclose(read_scan(path).points, points, atol=0.006)


def test_marks_of_missing_points_beside_decimals_are_no_small_numbers(tmp_path: Path) -> None:
    points = np.round(np.random.default_rng(4).uniform(300, 900, size=(200, 3)), 3)
    rows = ["0 0 0" if k % 5 == 0 else " ".join(f"{v:.3f}" for v in row) for k, row in enumerate(points)]
    (tmp_path / "a.xyz").write_text("\n".join(rows) + "\n")
    assert np.allclose(read_scan(tmp_path / "a.xyz").points[1], points[1])


@pytest.mark.parametrize("cells", ["{:,.2f};{:,.2f};{:,.2f}", "{:.2f} mm;{:.2f} mm;{:.2f} mm"])
def test_cells_with_more_than_numbers_below_names_are_shown(cells: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x;y;z\n" + "".join(cells.format(*row) + "\n" for row in (NUMBERS * 1.01 + 0.13).tolist()))
    with pytest.raises(InputError, match="more than numbers in the columns of its rows, such as '"):
        read_scan(path)


@pytest.mark.parametrize("name", ["{0}-{1}", "{0} {{{1}}}", "{0} <{1}>", "{0}_{1}", "{0} [{1}]"])
def test_units_in_any_brackets_are_converted(name: str, tmp_path: Path) -> None:
    points = np.random.default_rng(3).uniform(1, 90, size=(200, 3))
    names = ",".join(name.format(axis, unit) for axis, unit in (("x", "mm"), ("y", "mm"), ("z", "um")))
    path = tmp_path / "a.csv"
    np.savetxt(path, points * [1, 1, 1000], fmt="%.4f", delimiter=",", header=names, comments="")
    assert np.allclose(read_scan(path).points, points, atol=1e-3)
