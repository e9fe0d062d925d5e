"""Thinning keeps a bounded number of points that cover the cloud evenly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from pointad.inspection.thinning import CELLS, thin_evenly
from pointad.scans.point_hashes import lasting_hashes


def test_small_clouds_stay_whole() -> None:
    points = np.random.default_rng(0).random((50, 3))
    np.testing.assert_array_equal(thin_evenly(points, 50), np.arange(50))


@pytest.mark.parametrize("count", [12_000, 60_000, 300_000])
def test_nearly_as_many_points_as_wanted_remain(count: int) -> None:
    random = np.random.default_rng(1)
    sphere = random.normal(size=(count, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    kept = thin_evenly(sphere * 25 + 1e4, 10_000)
    assert 9_000 < len(kept) <= 10_000
    assert (np.diff(kept) > 0).all()


def test_dense_parts_are_thinned_more() -> None:
    """Nine tenths of the points lie in one corner; they must not take nine tenths of the places."""
    random = np.random.default_rng(2)
    plane = random.random((100_000, 2))
    plane[:90_000] *= 0.3
    kept = thin_evenly(np.column_stack([plane, np.zeros(len(plane))]), 5_000)
    in_corner = (plane[kept] < 0.3).all(axis=1).mean()
    assert in_corner < 0.4
    gaps, _ = cKDTree(plane[kept]).query(random.random((2_000, 2)))
    assert gaps.max() < 0.06, "every part of the surface is covered"


@pytest.mark.parametrize("spread", [0.0, 1e-9])
def test_a_crowded_place_takes_not_all_candidates(spread: float) -> None:
    random = np.random.default_rng(2)
    points = random.normal(size=(5_000, 3))
    crowd = points[lasting_hashes(points, CELLS).argmin()] + spread * random.normal(size=(20_000, 3))
    kept = thin_evenly(np.concatenate([points, crowd]), 1_000)
    assert len(kept) > 800


def test_same_seed_same_points_other_seed_others() -> None:
    points = np.random.default_rng(3).random((20_000, 3))
    np.testing.assert_array_equal(thin_evenly(points, 1_000, 7), thin_evenly(points, 1_000, 7))
    assert len(np.intersect1d(thin_evenly(points, 1_000, 7), thin_evenly(points, 1_000, 8))) < 500


def test_the_order_of_the_points_does_not_matter() -> None:
    points = np.random.default_rng(4).normal(size=(20_000, 3))
    order = np.random.default_rng(5).permutation(len(points))
    np.testing.assert_array_equal(np.sort(order[thin_evenly(points[order], 3_000)]), thin_evenly(points, 3_000))


@pytest.mark.parametrize("unit", [0.001, 1 / 25.4])
def test_unit_and_precision_hardly_matter(unit: float) -> None:
    random = np.random.default_rng(6)
    sphere = random.normal(size=(100_000, 3))
    points = (sphere / np.linalg.norm(sphere, axis=1, keepdims=True) * 25 + [100, 0, 400]).round(3)
    kept = thin_evenly(points, 10_000)
    assert len(np.intersect1d(thin_evenly((points * unit).astype(np.float32), 10_000), kept)) > 0.9 * len(kept)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(2, 400),
    wanted=st.integers(1, 300),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    shape=st.sampled_from(["cube", "line", "same", "two places"]),
)
def test_bound_holds_for_any_shape(count: int, wanted: int, scale: float, shape: str) -> None:
    points = np.random.default_rng(count).random((count, 3))
    if shape == "line":
        points[:, 1:] = 0
    elif shape == "same":
        points[:] = points[0]
    elif shape == "two places":
        points = points.round()[:, :1] * np.ones(3)
    kept = thin_evenly(points * scale, wanted)
    assert 1 <= len(kept) <= max(wanted, 1)
    assert len(np.unique(kept)) == len(kept)
