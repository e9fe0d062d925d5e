"""What holds for every rendered sample, whatever the cloud."""

import dataclasses

import numpy as np
import pytest
from portable_clouds import blob, bowl, noise

from pointad.datasets.eyecandies import EYECANDIES_RIG
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.errors import InputError
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import render
from pointad.rendering.views import View
from pointad.scans.point_cloud import PointCloud

RIG = dataclasses.replace(MVTEC3D_RIG, point_size=7, views=(View("x", -15), View("y", 30)))


def assert_equal(first: RenderedSample, second: RenderedSample) -> None:
    np.testing.assert_array_equal(first.views, second.views)
    np.testing.assert_array_equal(first.views_gt, second.views_gt)
    np.testing.assert_array_equal(first.correspondences, second.correspondences)


def test_shapes_and_types() -> None:
    shaded = bowl(84)
    sample = render(shaded.cloud, RIG, normals=shaded.normals)
    count = len(shaded.cloud.points)
    assert (sample.views.shape, sample.views.dtype) == ((2, 336, 336), np.uint8)
    assert (sample.views_gt.shape, sample.views_gt.dtype) == ((2, 336, 336), np.uint8)
    assert (sample.correspondences.shape, sample.correspondences.dtype) == ((2, count, 3), np.int16)
    assert sample.correspondences[..., :2].min() >= 0
    assert sample.correspondences[..., :2].max() <= 335
    assert set(np.unique(sample.correspondences[..., 2])) == {0, 1}
    assert sample.nonzero_indices is shaded.cloud.nonzero_indices


def test_order_of_points_does_not_matter() -> None:
    shaded = blob(40)
    points = shaded.cloud.points + 1e-3 * noise(len(shaded.cloud.points), 7)[:, None]  # no two at the same depth
    assert shaded.cloud.labels is not None
    shuffle = np.random.default_rng(0).permutation(len(points))
    sample = render(PointCloud(points, shaded.cloud.labels), RIG, normals=shaded.normals)
    shuffled = render(PointCloud(points[shuffle], shaded.cloud.labels[shuffle]), RIG, normals=shaded.normals[shuffle])
    np.testing.assert_array_equal(sample.correspondences[:, shuffle], shuffled.correspondences)
    # Float32 depths tie more often than the points do, and ties go by the order.
    assert (sample.views != shuffled.views).mean() < 1e-3
    assert (sample.views_gt != shuffled.views_gt).mean() < 1e-3


def test_colors_and_signs_of_normals_do_not_matter() -> None:
    shaded = bowl(84)
    colors = np.random.default_rng(0).integers(0, 256, (len(shaded.normals), 3)).astype(np.uint8)
    sample = render(shaded.cloud, RIG, normals=shaded.normals)
    assert_equal(sample, render(dataclasses.replace(shaded.cloud, colors=colors), RIG, normals=-shaded.normals))


def test_rendering_is_repeatable_and_leaves_the_cloud_alone() -> None:
    cloud = bowl(84).cloud
    before = cloud.points.copy()
    assert_equal(render(cloud, RIG), render(cloud, RIG))
    np.testing.assert_array_equal(cloud.points, before)


@pytest.mark.parametrize("labels", [None, "none set"])
def test_ground_truth_without_anomaly_is_black(labels: str | None) -> None:
    cloud = bowl(84).cloud
    cloud = dataclasses.replace(cloud, labels=np.zeros(len(cloud.points), bool) if labels else None)
    assert not render(cloud, RIG, normals_method="grid").views_gt.any()


def test_all_points_anomalous_is_the_silhouette() -> None:
    cloud = bowl(168).cloud
    cloud = dataclasses.replace(cloud, labels=np.ones(len(cloud.points), bool))
    rig = dataclasses.replace(RIG, gt_window=1024, gt_point_size=7)
    sample = render(cloud, rig, normals_method="grid")
    assert (sample.views_gt[sample.views < 150] > 127).mean() > 0.99


def test_default_ground_truth_ignores_the_step_back() -> None:
    shaded = blob(40)
    cloud = dataclasses.replace(shaded.cloud, points=shaded.cloud.points / 500)
    still = dataclasses.replace(EYECANDIES_RIG, steps_back=False)
    moved, unmoved = (render(cloud, rig, normals=shaded.normals) for rig in (EYECANDIES_RIG, still))
    np.testing.assert_array_equal(moved.views_gt, unmoved.views_gt)
    assert (moved.views != unmoved.views).any()


def test_splat_visibility_sees_less_of_the_far_side() -> None:
    shaded = blob(136)
    rig = dataclasses.replace(RIG, point_size=12)
    nearest, surface = (
        render(shaded.cloud, rig, normals=shaded.normals, visibility=rule).correspondences[..., 2].astype(bool)
        for rule in ("nearest", "splat")
    )
    toward_eye = np.stack([np.argsort(np.argsort(view)) for view in heights(shaded.cloud)])
    far = toward_eye < len(shaded.cloud.points) / 3
    assert (nearest & far).sum() > 1000
    assert (surface & far).sum() < 0.01 * (nearest & far).sum()
    assert (surface.sum(axis=1) > 0.15 * len(shaded.cloud.points)).all()


def heights(cloud: PointCloud) -> list[np.ndarray]:
    """Heights toward the camera of all points, per view of RIG."""
    points = cloud.points * (1, -1, -1)
    return [(points @ view.rotation.T)[:, 2] for view in RIG.views]


def test_centred_correspondence_moves_by_a_pixel_at_most() -> None:
    shaded = bowl(84)
    published, centred = (
        render(shaded.cloud, RIG, normals=shaded.normals, correspondence=rule).correspondences[..., :2].astype(int)
        for rule in ("truncated", "centred")
    )
    moved = centred - published
    assert set(np.unique(moved)) == {0, 1}
    assert 0.1 < moved.mean() < 0.25  # by half a window pixel of 3.05 per picture pixel


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (np.zeros((2, 3)), "at least three points"),
        (np.zeros((5, 2)), "at least three points"),
        (np.ones((5, 3)), "same place"),
        (1e-40 * np.eye(3), "an extent of 1e-40, which cannot be drawn"),
        (1e38 * np.eye(3), "an extent of 1e"),
        (np.broadcast_to(np.zeros(3), (8_000_000, 3)), "downsample it"),
        (np.array([[0, 0, 0], [1, 0, 0], [0, np.nan, 0.0]]), "not finite"),
        (np.array([[0, 0, 0], [1, 0, 0], [0, np.inf, 0.0]]), "not finite"),
    ],
)
def test_degenerate_clouds_are_refused(points: np.ndarray, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        render(PointCloud(points), RIG)


@pytest.mark.parametrize("factor", [1e-33, 1e34])
def test_views_do_not_depend_on_the_unit(factor: float) -> None:
    cloud = bowl(42).cloud
    rig = dataclasses.replace(RIG, normal_radius=np.inf)
    scaled = render(dataclasses.replace(cloud, points=cloud.points * factor), rig)
    usual = render(cloud, rig)
    assert (scaled.correspondences == usual.correspondences).all()
    assert (np.abs(scaled.views.astype(int) - usual.views) > 8).mean() < 1e-4


def test_arrays_that_do_not_fit_are_refused() -> None:
    cloud = bowl(42).cloud
    with pytest.raises(InputError, match="one for each point"):
        render(cloud, RIG, normals=np.ones((5, 3)))
    with pytest.raises(InputError, match="give one label each"):
        render(dataclasses.replace(cloud, labels=np.ones(5, bool)), RIG)


@pytest.mark.parametrize("option", ["normals_method", "visibility", "correspondence"])
def test_unknown_options_are_refused(option: str) -> None:
    with pytest.raises(InputError, match="use one of"):
        render(bowl(42).cloud, RIG, **{option: "other"})  # type: ignore[arg-type]


def test_grid_normals_need_a_grid() -> None:
    with pytest.raises(InputError, match="has no grid"):
        render(blob(10).cloud, RIG, normals_method="grid")


@pytest.mark.parametrize("points", [[[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 0, 0], [0, 0, 1e-9], [1e-9, 0, 0]]])
def test_tiny_and_flat_clouds_are_drawn(points: list[list[float]]) -> None:
    sample = render(PointCloud(np.array(points, dtype=np.float64)), RIG)
    assert (sample.views < 255).any()
    assert sample.correspondences[..., 2].any()
