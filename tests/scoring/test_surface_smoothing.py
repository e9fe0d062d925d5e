"""Smoothing on a cloud: compared with Gaussian weights between all pairs of points."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pointad.scoring.surface_smoothing import SurfaceSmoothing


def weighted_means(points: np.ndarray, values: np.ndarray, sigma: float, known: np.ndarray) -> np.ndarray:
    """The definition: every known point weighs by its distance."""
    distances = cdist(points, points[known])
    weights = np.exp(-0.5 * (distances / sigma) ** 2)
    return weights @ values[known] / weights.sum(axis=1)


def smoothed_once(points: np.ndarray, values: np.ndarray, sigma: float, known: np.ndarray | None = None) -> np.ndarray:
    return SurfaceSmoothing(points, sigma, known)(values)


@pytest.fixture
def sphere() -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(3000, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.4])
def test_agrees_with_gaussian_weights_between_all_pairs(sphere: np.ndarray, sigma: float) -> None:
    values = (sphere[:, 0] > 0.5).astype(float) + 0.3 * sphere[:, 1]
    expected = weighted_means(sphere, values, sigma, np.ones(len(values), dtype=bool))
    smoothed = smoothed_once(sphere, values, sigma)
    assert np.abs(smoothed - expected).max() < 0.06
    assert np.abs(smoothed - expected).mean() < 0.012


def test_order_unit_and_offset_do_not_matter(sphere: np.ndarray) -> None:
    values = sphere[:, 2] ** 2
    expected = smoothed_once(sphere, values, 0.2)
    order = np.random.default_rng(1).permutation(len(sphere))
    np.testing.assert_allclose(smoothed_once(sphere[order], values[order], 0.2), expected[order], atol=1e-5)
    np.testing.assert_allclose(smoothed_once(sphere * 1000 + 5000, values, 200), expected, atol=1e-3)


def test_a_constant_stays_constant_however_uneven_the_cloud(sphere: np.ndarray) -> None:
    uneven = sphere[sphere[:, 0] > np.random.default_rng(2).random(len(sphere)) * 2 - 1]
    np.testing.assert_allclose(smoothed_once(uneven, np.full(len(uneven), 0.7), 0.1), 0.7, atol=1e-5)


def test_unknown_values_come_from_their_surroundings(sphere: np.ndarray) -> None:
    values = np.where(sphere[:, 0] > 0, 1.0, 0.0)
    known = np.random.default_rng(3).random(len(sphere)) < 0.5
    hidden = np.where(known, values, 99.0)
    smoothed = smoothed_once(sphere, hidden, 0.15, known)
    assert smoothed.max() <= 1.001
    inside = np.abs(sphere[:, 0]) > 0.6
    np.testing.assert_allclose(smoothed[inside], values[inside], atol=0.01)


def test_unknown_points_out_of_reach_take_the_nearest_known_value() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [100, 0, 0], [60, 0, 0]])
    smoothed = smoothed_once(points, np.array([0.2, 0.2, 0.8, 99.0]), 1.0, np.array([True, True, True, False]))
    np.testing.assert_allclose(smoothed, [0.2, 0.2, 0.8, 0.8], atol=1e-6)


def test_no_width_changes_nothing(sphere: np.ndarray) -> None:
    values = np.random.default_rng(4).random(len(sphere))
    np.testing.assert_array_equal(smoothed_once(sphere, values, 0), values.astype(np.float32))


@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_a_smoothing_serves_any_number_of_sets_of_values(sigma: float) -> None:
    random = np.random.default_rng(8)
    points = random.random((400, 3))
    known = random.random(400) > 0.2
    smoothing = SurfaceSmoothing(points, sigma, known)
    for values in random.random((3, 400)):
        np.testing.assert_array_equal(smoothing(values), smoothed_once(points, values, sigma, known))
