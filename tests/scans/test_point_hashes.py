"""Choices by hashes of coordinates do not depend on the order of the points, and look like chance."""

import numpy as np
import pytest

from pointad.scans.point_hashes import distinct_points, lasting_hashes, point_hashes, smallest_hashes


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


STORED = {
    "single precision": lambda points: points.astype(np.float32),
    "single precision in inches": lambda points: (points / 25.4).astype(np.float32),
    "far from the origin": lambda points: points + np.array([5e5, 5.4e6, 0]),
    "other sums": lambda points: points - points[::-1].mean(axis=0),
}


@pytest.mark.parametrize("name", STORED)
def test_the_same_points_are_chosen_however_they_are_stored(name: str) -> None:
    points = (np.random.default_rng(4).random((20_000, 3)) * [80, 50, 20] + [120, -30, 400]).round(3)
    stored = STORED[name](points).astype(np.float64)
    both = np.intersect1d(smallest_hashes(points, 2000), smallest_hashes(stored, 2000))
    assert len(both) > 1980
    grid = np.stack(np.meshgrid(*3 * [np.arange(27) * 0.5]), axis=-1).reshape(-1, 3)  # whose points lie on no side
    assert (lasting_hashes(grid, 10_000) >> 24 == lasting_hashes(STORED[name](grid), 10_000) >> 24).mean() > 0.98


def test_points_of_one_cell_have_hashes_of_their_own() -> None:
    points = np.concatenate([np.random.default_rng(5).random((200, 3)) * 1e-9, [[1.0, 1, 1]]])
    hashes = lasting_hashes(points, 1000)
    assert len(np.unique(hashes)) == 201 and len(np.unique(hashes[:-1] >> 24)) == 1
    for flat in (np.zeros((5, 3)), np.zeros((0, 3))):
        assert len(np.unique(lasting_hashes(flat, 1000))) <= 1


def test_points_are_equal_to_the_first_of_their_kind() -> None:
    points = np.random.default_rng(7).random((500, 3)) * [1, 0, 1]
    numbers = np.random.default_rng(8).integers(0, 500, 3000)
    repeated = points[numbers]
    repeated[::2, 1] = -0.0
    first, equal = distinct_points(repeated)
    assert len(first) == len(np.unique(numbers)) and (np.diff(first) > 0).all()
    np.testing.assert_array_equal(repeated[first][equal], repeated)
    assert all(number not in numbers[:index] for index, number in zip(first, numbers[first], strict=True))
    for whole in distinct_points(points):
        np.testing.assert_array_equal(whole, np.arange(500))
