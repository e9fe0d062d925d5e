"""DBSCAN on cells must give the labels of DBSCAN on points, border points and numbering included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from pointad.scans.clusters import cluster_labels


def blobs(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    count, centers = int(rng.integers(1, 500)), rng.random((int(rng.integers(1, 8)), 3)) * rng.uniform(0.02, 0.4)
    return centers[rng.integers(len(centers), size=count)] + rng.normal(0, rng.uniform(0.001, 0.03), (count, 3))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.003, 0.06), st.integers(1, 15))
def test_labels_are_those_of_scikit_learn(seed: int, radius: float, min_points: int) -> None:
    points = blobs(seed)
    expected = DBSCAN(eps=radius, min_samples=min_points).fit(points).labels_
    np.testing.assert_array_equal(cluster_labels(points, radius=radius, min_points=min_points), expected)


def test_two_sheets_of_a_scan_and_noise() -> None:
    rng = np.random.default_rng(0)
    plane = np.stack(np.meshgrid(np.arange(120), np.arange(120)), -1).reshape(-1, 2) * 0.0005
    sheet = np.column_stack([plane, np.zeros(len(plane))])
    smaller = sheet[:4000] + np.array([0, 0, 0.02])
    noise = rng.random((200, 3)) * 0.5 + 1
    labels = cluster_labels(np.concatenate([smaller, sheet, noise]), radius=0.006, min_points=30)
    assert (labels[:4000] == 0).all()
    assert (labels[4000 : 4000 + len(sheet)] == 1).all()
    assert (labels[4000 + len(sheet) :] == -1).all()


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.arange(30.0).reshape(10, 3)])
def test_nothing_but_noise(points: np.ndarray) -> None:
    labels = cluster_labels(points, radius=0.1, min_points=3)
    assert labels.shape == (len(points),)
    assert (labels == -1).all()


def test_a_stray_point_far_away_changes_nothing() -> None:
    points = np.concatenate([blobs(3), [[1e9, -1e9, 1e9]]])
    expected = DBSCAN(eps=0.02, min_samples=5).fit(points).labels_
    np.testing.assert_array_equal(cluster_labels(points, radius=0.02, min_points=5), expected)
