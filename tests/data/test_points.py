"""The points of a rendered sample, read back in the order of its correspondences."""

from pathlib import Path

import numpy as np
import pytest

from pointad.data.points import read_points
from pointad.errors import InputError
from pointad.scans.pcd import write_pcd
from pointad.scans.tiff import write_xyz_tiff


def test_points_of_a_grid_are_those_that_were_rendered(tmp_path: Path) -> None:
    xyz = np.random.default_rng(0).normal(size=(8, 8, 3)).astype(np.float32)
    write_xyz_tiff(tmp_path / "scan.tiff", xyz)
    places = np.array([1, 5, 14])
    found = read_points(tmp_path / "scan.tiff", places, tmp_path, 4)
    np.testing.assert_array_equal(found, xyz[::2, ::2].reshape(-1, 3)[places])
    with pytest.raises(InputError, match="does not match the points"):
        read_points(tmp_path / "scan.tiff", np.array([16]), tmp_path, 4)


def test_points_of_a_cloud_are_its_own(tmp_path: Path) -> None:
    points = np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    write_pcd(tmp_path / "cloud.pcd", points)
    np.testing.assert_allclose(read_points(tmp_path / "cloud.pcd", None, tmp_path, 4), points)


def test_a_sample_without_a_scan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no scan"):
        read_points(None, None, tmp_path, 4)
