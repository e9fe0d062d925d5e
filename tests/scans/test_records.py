"""Arrays of records: fields beside the coordinates may hold anything, and colours are understood as everywhere else."""

from pathlib import Path

import numpy as np
import pytest
from dialects.arrays import npy
from dialects.base import COLORS, COUNT, POINTS

from pointad.errors import InputError
from pointad.scans.files import read_scan

XYZ = [("x", "f8"), ("y", "f8"), ("z", "f8")]
DARK = (COLORS > 127).astype(np.uint8)  # 0 and 1 of 255


def records(fields: list[tuple[str, str]], *columns: np.ndarray) -> np.ndarray:
    found = np.zeros(COUNT, dtype=fields)
    for (name, _), column in zip(fields, columns, strict=True):
        found[name] = column
    return found


def saved(values: np.ndarray, folder: Path) -> Path:
    path = folder / "scan.npy"
    path.write_bytes(npy(values))
    return path


@pytest.mark.parametrize("kind", ["?", "U5", "M8[ns]", "u8"])
def test_other_fields_hold_anything(kind: str, tmp_path: Path) -> None:
    values = records([("other", kind), *XYZ], np.zeros(COUNT, kind), *POINTS.T)
    scan = read_scan(saved(values, tmp_path))
    np.testing.assert_array_equal(scan.points, POINTS)
    assert "not used: 1 (other)" in scan.reading


@pytest.mark.parametrize(
    ("kind", "stored", "seen"),
    [
        ("u2", COLORS.astype(int) * 257, COLORS),
        ("f4", COLORS * 0.999, COLORS),
        ("f4", COLORS / 255, COLORS),
        ("u1", DARK, DARK),
    ],
)
def test_colours_of_every_kind(kind: str, stored: np.ndarray, seen: np.ndarray, tmp_path: Path) -> None:
    values = records([*XYZ, ("r", kind), ("g", kind), ("b", kind)], *POINTS.T, *stored.T)
    scan = read_scan(saved(values, tmp_path))
    np.testing.assert_array_equal(scan.colors, seen)
    assert "colours: 4 (r), 5 (g), 6 (b)" in scan.reading


def test_coordinates_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has the fields x, y, z, not x, y and z with a number each; call the fields"):
        read_scan(saved(records([("x", "U5"), *XYZ[1:]], *POINTS.T), tmp_path))


def test_objects_are_told(tmp_path: Path) -> None:
    path = tmp_path / "scan.npy"
    np.save(path, np.array({"points": POINTS}, dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="holds objects of Python, which are not read; save an array of numbers"):
        read_scan(path)
