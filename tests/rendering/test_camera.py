"""The camera stands and moves as its rules say."""

import math

import numpy as np
import pytest
from portable_clouds import box

from pointad.errors import InputError
from pointad.rendering.camera import focal_length, look_at, project, rotate, step_back
from pointad.rendering.views import View


def random_cloud(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, 500)) * [[2.0], [1.0], [0.5]] + [[5.0], [-3.0], [1.0]]


def test_camera_looks_at_the_box_from_a_distance_in_proportion() -> None:
    points = random_cloud()
    camera = look_at(points)
    extent = np.ptp(points, axis=1).max()
    np.testing.assert_allclose(camera.center, (points.min(axis=1) + points.max(axis=1)) / 2)
    assert camera.extent == extent
    assert camera.distance == pytest.approx(0.7 * extent / math.tan(math.pi / 6))


def test_center_projects_to_the_middle_and_axes_point_right_and_up() -> None:
    camera = look_at(random_cloud())
    steps = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    columns, rows = project(camera.center[:, None] + steps, camera, 1024)
    shift = focal_length(1024) / camera.distance
    np.testing.assert_allclose(columns, [511.5, 511.5 + shift, 511.5])
    np.testing.assert_allclose(rows, [511.5, 511.5, 511.5 - shift])


def test_step_back_takes_the_fewest_steps() -> None:
    points = box(20).cloud.points.T.copy()
    turned = rotate(points, View("x", 40), np.zeros(3))
    start = look_at(turned)
    moved = step_back(turned, start, 1036)
    steps = round((moved.distance - start.distance) / 0.005)

    def all_seen(distance: float) -> bool:
        pixels = np.stack(project(turned, type(start)(start.center, start.extent, distance), 1036))
        return bool(((pixels >= 0) & (pixels < 1036)).all())

    assert steps > 1
    assert all_seen(start.distance + 0.005 * steps)
    assert not all_seen(start.distance + 0.005 * (steps - 1))


def test_step_back_takes_at_least_one_step() -> None:
    points = random_cloud() * [[1], [1], [0]]
    start = look_at(points)
    assert step_back(points, start, 1036).distance == start.distance + 0.005


@pytest.mark.parametrize("view", [View("x", -45), View("y", 30), View("x", 0)])
def test_turn_is_a_rotation_about_the_center(view: View) -> None:
    points = random_cloud()
    center = points.mean(axis=1)
    expected = view.rotation @ (points - center[:, None]) + center[:, None]
    np.testing.assert_allclose(rotate(points - center[:, None], view, center), expected, atol=1e-14)


def test_cloud_without_extent_is_refused() -> None:
    with pytest.raises(InputError, match="same place"):
        look_at(np.ones((3, 5)))
