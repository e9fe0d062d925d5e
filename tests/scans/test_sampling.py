"""Up and down to a fixed number of points, with labels carried along."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from pointad.errors import InputError
from pointad.scans.point_cloud import PointCloud
from pointad.scans.sampling import POINT_COUNT, farthest_points, resample, resample_cloud


def sphere(count: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return 20 * points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [5, 64, 700, 5000])
def test_each_point_is_the_farthest(count: int) -> None:
    pytest.importorskip("fpsample")
    points = sphere(count)
    chosen = farthest_points(points, min(count - 1, 60))
    distances = np.full(count, np.inf)
    for last, following in itertools.pairwise(chosen):
        distances = np.minimum(distances, np.linalg.norm(points - points[last], axis=1))
        assert distances[following] >= distances.max() * (1 - 1e-5)


@pytest.fixture(params=["fpsample", "open3d"])
def sampler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the samplers in turn; without fpsample, as on Python 3.13, Open3D's is used."""
    if request.param == "fpsample":
        pytest.importorskip("fpsample")
    else:
        monkeypatch.setitem(sys.modules, "fpsample", None)
    return request.param


def test_without_fpsample_the_same_points_are_the_farthest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "fpsample", None)
    points = sphere(700) * [1.0, 0.5, 0.2]
    distances = np.full(len(points), np.inf)
    expected = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmax())]
    while len(expected) < 60:
        distances = np.minimum(distances, np.linalg.norm(points - points[expected[-1]], axis=1))
        expected.append(int(distances.argmax()))
    np.testing.assert_array_equal(farthest_points(points, 60), sorted(expected))
    assert "fpsample is not installed" in caplog.text


def test_fpsample_that_does_not_fit_into_memory_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ``ulimit -v``, Open3D would fit, and choose other points."""
    (tmp_path / "fpsample.py").write_text("raise ImportError('fpsample.so: failed to map segment from shared object')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "fpsample", None)
    del sys.modules["fpsample"]  # what it was comes back after the test
    with pytest.raises(MemoryError, match="fpsample cannot be loaded"):
        farthest_points(sphere(700), 60)


def test_without_either_sampler_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fpsample", None)
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(InputError, match=r"fpsample: not installed, and Open3D.* cannot be loaded.*; pip install"):
        farthest_points(sphere(700), 60)


@pytest.mark.usefixtures("sampler")
def test_a_large_cloud_is_covered_evenly_and_in_the_same_way_every_time() -> None:
    points = sphere(40_000)
    first, second = resample(points, 10_000), resample(points, 10_000)
    np.testing.assert_array_equal(first.sources, second.sources)
    assert len(np.unique(first.sources)) == 10_000
    np.testing.assert_array_equal(first.points, points[first.sources])
    gaps, _ = cKDTree(first.points).query(points)
    spacing, _ = cKDTree(first.points).query(first.points, k=2)
    # Nothing that was left out is farther away than the closest two that were chosen, which is what the rule means.
    assert gaps.max() <= spacing[:, 1].min() * 1.01


@pytest.mark.usefixtures("sampler")
def test_far_from_the_origin_nothing_is_lost_to_rounding() -> None:
    points = sphere(5000)
    moved = resample(points + 1e6, 1000)
    np.testing.assert_array_equal(moved.sources, resample(points, 1000).sources)


@pytest.mark.parametrize("count", [11_290, 20_000])
def test_a_small_cloud_keeps_its_points_and_gains_others_between_them(count: int) -> None:
    points = sphere(count)
    resampling = resample(points, seed=3)
    assert resampling.points.shape == (POINT_COUNT, 3)
    np.testing.assert_array_equal(resampling.points[:count], points)
    added, sources = resampling.points[count:], resampling.sources[count:]
    tree = cKDTree(points)
    nearest = tree.query(points, k=4)[1][:, 1:]
    # Every added point lies at a quarter, half or three quarters of the way from its source to a neighbour, or back.
    ends = np.concatenate([nearest, *_mutual(nearest, count)], axis=1)
    way = points[ends[sources]] - points[sources][:, None]
    length = np.linalg.norm(way, axis=-1)
    step = np.linalg.norm(added - points[sources], axis=1)[:, None] / length
    on_line = np.linalg.norm(added[:, None] - points[sources][:, None] - step[..., None] * way, axis=-1) < 1e-9
    quarter = np.isclose(step, 0.25) | np.isclose(step, 0.5)
    assert (on_line & quarter).any(axis=1).mean() > 0.999
    np.testing.assert_array_equal(resample(points, seed=3).points, resampling.points)
    assert not np.array_equal(resample(points, seed=4).points, resampling.points)


def _mutual(nearest: np.ndarray, count: int) -> list[np.ndarray]:
    """Up to ten points that have each point among their nearest, padded with its own first neighbour."""
    owners = np.repeat(np.arange(count), nearest.shape[1])
    order = np.argsort(nearest.reshape(-1), kind="stable")
    targets, owners = nearest.reshape(-1)[order], owners[order]
    rank = np.arange(len(targets)) - np.searchsorted(targets, targets)
    table = np.repeat(nearest[:, :1], 10, axis=1)
    kept = rank < 10
    table[targets[kept], rank[kept]] = owners[kept]
    return [table]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(61, 3000), st.integers(0, 100))
def test_any_small_number_reaches_the_count(given_count: int, wanted: int, seed: int) -> None:
    points = sphere(given_count, seed)
    cloud = resample_cloud(PointCloud(points=points, labels=points[:, 2] > 0), wanted, seed)
    assert cloud.points.shape == (wanted, 3) and np.isfinite(cloud.points).all()
    assert cloud.labels is not None and cloud.labels.shape == (wanted,)
    low, high = points.min(axis=0), points.max(axis=0)
    assert (cloud.points >= low - 1e-9).all() and (cloud.points <= high + 1e-9).all()


def test_labels_and_colors_come_from_the_nearer_end() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0]])
    colors = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
    # Two points make three on the way there and three on the way back.
    cloud = resample_cloud(PointCloud(points=points, labels=np.array([False, True]), colors=colors), 8)
    assert sorted(cloud.points[:, 0]) == [0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1]
    assert cloud.labels is not None and cloud.colors is not None
    decided = cloud.points[:, 0] != 0.5
    np.testing.assert_array_equal(cloud.labels[decided], cloud.points[decided, 0] > 0.5)
    np.testing.assert_array_equal(cloud.colors, colors[cloud.labels.astype(int)])


def test_points_at_the_same_place() -> None:
    assert resample(np.zeros((10, 3)), 50).points.shape == (50, 3)
    assert resample(np.zeros((100, 3)), 50).points.shape == (50, 3)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_points(count: int) -> None:
    with pytest.raises(InputError, match=f"has {count} points"):
        resample(np.zeros((count, 3)))
