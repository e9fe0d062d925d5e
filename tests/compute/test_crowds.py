"""Clouds in which very many points are equal: searches look at few of them, and find what they found among all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.spatial

from pointad.compute.searches import CROWD, without_crowds
from pointad.datasets.matched_labels import read_matched_labels
from pointad.metrics.regions import cloud_regions
from pointad.rendering import normals
from pointad.scans.sampling import resample
from pointad.scans.scan_file import ScanFile

COPIES = 5 * CROWD


def crowded() -> np.ndarray:
    """A sheet of 400 points, among them one place with very many."""
    points = np.random.default_rng(0).random((400, 3)) * [1, 1, 0.01]
    return np.random.default_rng(1).permutation(np.concatenate([points, np.repeat(points[7:8], COPIES, axis=0)]))


@pytest.fixture
def trees(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each tree for searches has."""
    sizes = []
    make = scipy.spatial.cKDTree

    def counted(points: np.ndarray, *_: object, **options: object) -> scipy.spatial.cKDTree:
        sizes.append(len(points))
        return make(points, *_, **options)

    monkeypatch.setattr(scipy.spatial, "cKDTree", counted)
    return sizes


def test_the_first_of_equal_points_stand_for_the_others() -> None:
    points = crowded()
    found = without_crowds(points, 3)
    assert found is not None
    kept, stands_for = found
    assert len(kept) == 399 + 3 and (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(points[kept][stands_for], points)
    np.testing.assert_array_equal(stands_for[kept], np.arange(len(kept)))
    assert without_crowds(points, COPIES + 1) is None
    assert without_crowds(np.column_stack([np.zeros(COPIES), np.arange(COPIES)]), 3) is None


def test_normals_are_those_of_all(trees: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    points = crowded()
    with monkeypatch.context() as changed:
        changed.setattr(normals, "without_crowds", lambda *_: None)
        expected = normals.estimate_normals(points, np.inf, 20)
    np.testing.assert_array_equal(normals.estimate_normals(points, np.inf, 20), expected)

    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(normals, "load_open3d", missing)
    normals.estimate_normals(points, np.inf, 20)
    assert trees == [399 + 20]


def resampled(points: np.ndarray) -> np.ndarray:
    return resample(points, len(points) + 50).points


def regions(points: np.ndarray) -> np.ndarray:
    return cloud_regions(points, points[:, 0] > 0.5)


@pytest.mark.parametrize("search", [resampled, regions])
def test_few_of_them_are_searched(search: Callable[[np.ndarray], np.ndarray], trees: list[int]) -> None:
    points = crowded()
    found = search(points)
    assert trees and max(trees) < 1000
    if search is regions:
        assert (found[(points == points[np.flatnonzero(found)[0]]).all(axis=1)] > 0).all()
        np.testing.assert_array_equal(found > 0, points[:, 0] > 0.5)


def test_regions_are_those_of_fewer_equal_points() -> None:
    points = crowded()
    kept, stands_for = without_crowds(points, 200) or (None, None)
    expected = cloud_regions(points[kept], points[kept][:, 0] > 0.5)
    np.testing.assert_array_equal(regions(points), expected[stands_for])


def test_labels_are_matched_with_one_of_them(tmp_path: Path, trees: list[int]) -> None:
    points = crowded()
    order = np.random.default_rng(2).permutation(len(points))
    path = tmp_path / "labels.txt"
    np.savetxt(path, np.column_stack([points, points[:, 0] > 0.5])[order], fmt="%.17g")
    found = read_matched_labels(path, ScanFile(points), Path("scan.npy"))
    np.testing.assert_array_equal(found, points[:, 0] > 0.5)
    assert max(trees) == 400
