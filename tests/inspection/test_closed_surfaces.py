"""Smooth clouds look smooth, however many points they have and in whatever order: thinning invents no anomalies."""

import dataclasses

import numpy as np
import pytest
from sample_scans import closed_shape
from scipy import ndimage

from pointad.inspection.predictor import PointAD
from pointad.inspection.preparation import AROUND_RIG, PLACES, prepare
from pointad.rendering.point_size import automatic_point_size, closing_point_size
from pointad.rendering.renderer import render

VIEWS = (AROUND_RIG.views[0], AROUND_RIG.views[4])


def sphere(count: int, seed: int = 0) -> np.ndarray:
    """Points (N, 3) at random on a sphere of radius 30."""
    points = np.random.default_rng(seed).normal(size=(count, 3))
    return 30 * points / np.linalg.norm(points, axis=1, keepdims=True)


def shuffled(points: np.ndarray) -> np.ndarray:
    return points[np.random.default_rng(9).permutation(len(points))]


def specks(points: np.ndarray) -> int:
    """Pixels inside the cloud's outline, of two views, that are unlike those around them."""
    scan = prepare(points, None, None, "auto")
    views = render(scan.point_cloud, dataclasses.replace(scan.rig, views=VIEWS)).views.astype(int)
    inside = ndimage.binary_erosion(views < 252, np.ones((1, 9, 9)), iterations=2)
    around = ndimage.median_filter(views, size=(1, 7, 7))
    return int(((np.abs(views - around) > 12) & inside).sum())


@pytest.mark.parametrize("count", [30_000, PLACES + 1, 200_000])
@pytest.mark.parametrize("shape", [sphere, closed_shape])
def test_no_gap_shows_the_far_side(count: int, shape) -> None:  # type: ignore[no-untyped-def]
    points = shape(count, 2)
    for cloud in (points, shuffled(points)):
        assert specks(cloud) <= 8  # of 40,000; with the size that suits a grid, up to 700


def test_size_depends_on_neither_order_nor_pose_nor_unit() -> None:
    points = closed_shape(20_000)
    size = closing_point_size(points.T, 1036)
    for changed in (shuffled(points), 1000 * points, points - 5):
        assert abs(closing_point_size(changed.T, 1036) - size) <= 1
    assert closing_point_size(shuffled(points).T, 1036) == size > automatic_point_size(points.T, 1036)


def test_a_rig_with_a_size_of_its_own_keeps_it() -> None:
    rig = dataclasses.replace(AROUND_RIG, point_size=7)
    assert prepare(closed_shape(2000), None, None, rig).rig is rig


def test_thinned_spheres_score_as_whole_ones(demo_detector: PointAD) -> None:
    """One point more than are rendered changed the score from 0.01 to 0.03, and twice as many to 0.08."""
    clouds = [sphere(PLACES), sphere(PLACES + 1), shuffled(sphere(PLACES + 1)), sphere(200_000)]
    scores = [demo_detector.predict(points).score for points in clouds]
    assert max(scores) < 0.02 and np.ptp(scores) < 0.01, scores


@pytest.fixture(scope="module")
def demo_detector() -> PointAD:
    return PointAD.from_checkpoint(device="cpu")
