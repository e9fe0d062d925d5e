"""Choices by hashes of coordinates do not depend on the order of the points, and look like chance."""

import numpy as np

from pointad.scans.point_hashes import point_hashes, smallest_hashes


def test_hashes_follow_the_points() -> None:
    points = np.random.default_rng(0).random((1000, 3))
    order = np.random.default_rng(1).permutation(1000)
    np.testing.assert_array_equal(point_hashes(points[order], 5), point_hashes(points, 5)[order])
    assert len(np.unique(point_hashes(points))) == 1000
    assert not np.isin(point_hashes(points, 1), point_hashes(points, 2)).any()
    np.testing.assert_array_equal(point_hashes(points, -1), point_hashes(points, 2**64 - 1))


def test_hashes_of_a_lattice_are_evenly_spread() -> None:
    lattice = np.stack(np.meshgrid(*3 * [np.arange(40.0)]), axis=-1).reshape(-1, 3)
    counts = np.histogram(point_hashes(lattice) / 2.0**64, bins=64, range=(0, 1))[0]
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000)
    chosen = lattice[smallest_hashes(lattice, 8000)]
    assert abs(np.histogramdd(chosen, bins=4)[0] - 125).max() < 5 * np.sqrt(125)


def test_the_smallest_are_the_same_points_in_any_order() -> None:
    points = np.random.default_rng(2).normal(size=(5000, 3))
    order = np.random.default_rng(3).permutation(5000)
    assert set(order[smallest_hashes(points[order], 70)]) == set(smallest_hashes(points, 70))
    np.testing.assert_array_equal(smallest_hashes(points, 5000), np.arange(5000))
