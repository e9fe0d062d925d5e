"""Arrays of a cloud of other kinds than the documented ones: refused, or drawn as what they mean."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from portable_clouds import bowl

from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.errors import InputError
from pointad.rendering.renderer import cloud_normals, render
from pointad.rendering.views import View, rotation_matrix
from pointad.scans.point_cloud import PointCloud

RIG = dataclasses.replace(MVTEC3D_RIG, point_size=7, views=(View("x", -15),))
SHADED = bowl(40)
POINTS = SHADED.cloud.points
ANOMALOUS = POINTS[:, 0] > 0.01


@pytest.mark.parametrize("labels", [ANOMALOUS.astype(int), ANOMALOUS * np.uint8(255), ANOMALOUS * 0.5, list(ANOMALOUS)])
def test_labels_are_flags(labels: Any) -> None:
    with pytest.raises(InputError, match="labels are"):
        render(PointCloud(POINTS, labels), RIG, normals=SHADED.normals)


@pytest.mark.parametrize(
    "points", [POINTS.tolist(), POINTS.astype(complex), POINTS.astype(object), POINTS > 0, np.ma.masked_less(POINTS, 0)]
)
def test_points_are_numbers(points: Any) -> None:
    with pytest.raises(InputError, match="points are"):
        render(PointCloud(points), RIG, normals=SHADED.normals)


def test_points_far_from_the_origin_are_refused() -> None:
    with pytest.raises(InputError, match="times its extent from the origin"):
        render(PointCloud(POINTS + 1e6), RIG)


@pytest.mark.parametrize("factor", [0, 5, np.nan, np.inf])
def test_normals_have_length_one(factor: float) -> None:
    with pytest.raises(InputError, match="do not have length 1"):
        render(PointCloud(POINTS), RIG, normals=SHADED.normals * factor)


@pytest.mark.parametrize("normals", [SHADED.normals.tolist(), np.zeros(POINTS.shape, int)])
def test_normals_are_numbers(normals: Any) -> None:
    with pytest.raises(InputError, match="values are"):
        render(PointCloud(POINTS), RIG, normals=normals)


@pytest.mark.parametrize("change", [lambda n: n[:-1], lambda n: n * 1.0, lambda n: n[::-1], lambda n: n - 112_896])
def test_grid_positions_ascend_on_the_grid(change: Any) -> None:
    positions = change(np.arange(len(POINTS)))
    with pytest.raises(InputError, match="grid positions"):
        render(PointCloud(POINTS, nonzero_indices=positions), RIG, normals_method="grid")


@pytest.mark.parametrize("size", [0, -1, 3.5, "336", None, True, 2**40])
def test_sizes_of_pictures_are_whole_numbers(size: Any) -> None:
    with pytest.raises(InputError, match="image_size"):
        render(PointCloud(POINTS), RIG, normals=SHADED.normals, image_size=size)


def test_arrays_that_cannot_be_written_to_are_drawn() -> None:
    points = POINTS.copy()
    points.setflags(write=False)
    wanted, drawn = render(PointCloud(POINTS), RIG), render(PointCloud(points), RIG)
    np.testing.assert_array_equal(drawn.views, wanted.views)


@pytest.mark.parametrize("window", [4, 15, 16])
def test_small_windows_are_drawn_with_points_of_a_pixel(window: int) -> None:
    rig = dataclasses.replace(RIG, window=window, point_size=None)
    assert render(PointCloud(POINTS), rig).views.min() < 255


def test_grid_normals_of_points_in_one_place_are_the_default() -> None:
    cloud = PointCloud(np.ones((4, 3)), nonzero_indices=np.arange(4))
    np.testing.assert_array_equal(cloud_normals(cloud, RIG, "grid"), [[0, 0, 1]] * 4)


def test_views_with_one_name_are_equal() -> None:
    for view in (View("x", 1 / 3), View("y", 1e-12), View("x", -0.0), View("x", 123456789.123456789)):
        assert View.from_name(view.name) == view
    with pytest.raises(InputError, match="is not an angle"):
        View("x", 1e9)


def test_rotations_are_about_x_or_y() -> None:
    with pytest.raises(InputError, match="not an axis"):
        rotation_matrix("z", 1.0)
