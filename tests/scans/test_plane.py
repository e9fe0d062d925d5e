"""The table's plane is found among points that are not on it, and its absence is an answer, not a crash."""

import numpy as np
import open3d
import pytest

from pointad.scans.plane import fit_plane

ARGUMENTS = {"threshold": 0.004, "sample_size": 50, "iterations": 1000}


def tilted_table(rng: np.random.Generator, count: int, noise: float) -> np.ndarray:
    xy = rng.uniform(-0.1, 0.1, (count, 2))
    return np.column_stack([xy, 0.5 + 0.2 * xy[:, 0] - 0.1 * xy[:, 1] + rng.normal(0, noise, count)])


def test_exact_plane() -> None:
    points = tilted_table(np.random.default_rng(0), 500, 0)
    plane = fit_plane(points, rng=np.random.default_rng(0), **ARGUMENTS)
    assert plane is not None
    np.testing.assert_allclose(plane.distances(points), 0, atol=1e-12)
    assert np.linalg.norm(plane.normal) == pytest.approx(1)
    normal = np.array([0.2, -0.1, -1]) / np.sqrt(1.05)
    np.testing.assert_allclose(plane.normal * np.sign(plane.normal[2]), -normal, atol=1e-9)


@pytest.mark.parametrize("outlier_share", [0.0, 0.02, 0.15])
def test_agrees_with_open3d(outlier_share: float) -> None:
    rng = np.random.default_rng(1)
    points = tilted_table(rng, 5000, 0.0003)
    outliers = int(outlier_share * len(points))
    points[:outliers, 2] -= rng.uniform(0.01, 0.03, outliers)
    plane = fit_plane(points, rng=np.random.default_rng(0), **ARGUMENTS)
    assert plane is not None
    open3d.utility.random.seed(0)
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    reference, _ = cloud.segment_plane(0.004, ransac_n=50, num_iterations=1000)
    sign = np.sign(plane.normal[2] * reference[2])
    # Both leave a table thickness of 5 mm out, so that half a millimetre between them is harmless.
    difference = points @ (plane.normal - sign * reference[:3]) + plane.offset - sign * reference[3]
    assert np.abs(difference).max() < 0.0005
    assert (plane.distances(points[outliers:]) < 0.004).all()


def test_same_seed_same_plane() -> None:
    points = tilted_table(np.random.default_rng(2), 3000, 0.002)
    first, second = (fit_plane(points, rng=np.random.default_rng(5), **ARGUMENTS) for _ in range(2))
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.normal, second.normal)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3)),
        np.random.default_rng(0).random((49, 3)),
        np.linspace(0, 1, 200)[:, None] * [1.0, 2.0, 3.0],
        np.ones((200, 3)),
    ],
    ids=["none", "fewer than a sample", "a line", "one place"],
)
def test_no_plane(points: np.ndarray) -> None:
    assert fit_plane(points, rng=np.random.default_rng(0), **ARGUMENTS) is None
