"""Arrays in an `.npz` beside the points: those that could count are told."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.base import COUNT, GRID, POINTS

from pointad.scans.files import read_scan

BESIDE = {
    "pts": ({"points": POINTS, "pts": POINTS + 1}, "the array 'pts' holds points too, but is not read"),
    "Points": ({"points": POINTS, "XYZ": POINTS + 1}, "the array 'XYZ' holds points too"),
    "valid": ({"points": GRID, "valid": GRID[..., 2] > 398}, "the array 'valid' is not read: all points take part"),
    "mask": ({"xyz": POINTS, "mask": POINTS[:, 0] > 0}, "the array 'mask' is not read"),
    "labels": ({"points": POINTS, "labels": np.arange(COUNT), "name": np.array(""), "normals": POINTS}, ""),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_not_read(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arrays, said = BESIDE[name]
    np.savez(tmp_path / "a.npz", **arrays)
    with caplog.at_level(logging.WARNING):
        scan = read_scan(tmp_path / "a.npz")
    np.testing.assert_array_equal(scan.points, next(iter(arrays.values())))
    assert said in caplog.text if said else not caplog.records
