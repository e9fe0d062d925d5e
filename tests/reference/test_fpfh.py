"""Point feature histograms against Open3D's, and what they must not depend on."""

import numpy as np
import pytest
from sample_scans import closed_shape

from pointad.reference.fpfh import LENGTH, fpfh, nearest_points, surface_normals


def histograms(points: np.ndarray, sizes: tuple[int, ...] = (20, 40)) -> np.ndarray:
    indices = nearest_points(points, sizes[-1] + 1)
    return fpfh(points, surface_normals(points, indices, None), sizes, indices, oriented=False)


def test_histograms_are_those_of_open3d() -> None:
    o3d = pytest.importorskip("open3d")
    points, sizes = closed_shape(1500), (20, 40)
    indices = nearest_points(points, 41)
    normals = surface_normals(points, indices, None)
    found = fpfh(points, normals, sizes, indices)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
    cloud.normals = o3d.utility.Vector3dVector(normals)
    for number, size in enumerate(sizes):
        search = o3d.geometry.KDTreeSearchParamKNN(size + 1)
        expected = np.asarray(o3d.pipelines.registration.compute_fpfh_feature(cloud, search).data).T
        # A pair on the border of two bins may fall into either in 32 bits, and its points' neighbours have it too.
        difference = np.abs(found[:, number] - expected)
        assert np.median(difference.max(axis=1)) < 1e-3 and difference.mean() < 0.02 and expected.mean() > 10


def test_histograms_add_up() -> None:
    found = histograms(closed_shape(600))
    assert found.shape == (600, 2, LENGTH)
    np.testing.assert_allclose(found.reshape(600, 2, 3, 11).sum(axis=-1), 200, rtol=1e-4)


def test_pose_unit_and_place_do_not_matter() -> None:
    points = closed_shape(900)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    moved = points @ rotation.T * 40 + 700
    difference = np.abs(histograms(points) - histograms(moved))
    assert np.mean(difference > 0.5) < 0.01


def test_signs_of_normals_do_not_matter_where_nothing_says_which_side_is_outside() -> None:
    points = closed_shape(900)
    indices = nearest_points(points, 41)
    normals = surface_normals(points, indices, None)
    found = fpfh(points, normals, (20, 40), indices, oriented=False)
    flipped = normals * np.random.default_rng(2).choice([-1.0, 1.0], size=(900, 1))
    np.testing.assert_array_equal(fpfh(points, flipped, (20, 40), indices, oriented=False), found)
    assert np.abs(fpfh(points, flipped, (20, 40), indices) - found).max() > 50  # where they are believed, they do


def test_normals_point_towards_the_viewpoint() -> None:
    points = closed_shape(500)
    indices = nearest_points(points, 31)
    viewpoint = np.array([0.0, 0.0, -500.0])
    normals = surface_normals(points, indices, viewpoint)
    assert (np.einsum("ni,ni->n", normals, viewpoint - points) >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
