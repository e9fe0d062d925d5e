"""The rigs hold the numbers that the released weights were trained with."""

import math

import numpy as np
import pytest

from pointad.datasets.eyecandies import EYECANDIES_RIG
from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.datasets.real3d import REAL3D_RIG
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.rendering.views import View, ViewRig, repeated_direction


def angles(rig: ViewRig) -> list[tuple[str, float]]:
    return [(view.axis, view.degrees) for view in rig.views]


def test_mvtec3d_rig() -> None:
    assert angles(MVTEC3D_RIG) == [
        ("x", -45), ("x", -15), ("x", 0), ("x", 15), ("x", 45), ("y", -30), ("y", -15), ("y", 15), ("y", 30)
    ]  # fmt: skip
    assert (MVTEC3D_RIG.window, MVTEC3D_RIG.gt_window, MVTEC3D_RIG.gt_point_size) == (1024, 1036, 6)
    assert MVTEC3D_RIG.first_rotation == math.pi
    assert (MVTEC3D_RIG.normal_radius, MVTEC3D_RIG.normal_neighbours, MVTEC3D_RIG.steps_back) == (0.1, 50, False)


def test_eyecandies_rig() -> None:
    assert angles(EYECANDIES_RIG) == [
        ("x", -30), ("x", -15), ("x", 0), ("x", 10), ("x", 20), ("y", -30), ("y", -15), ("y", 15), ("y", 30)
    ]  # fmt: skip
    assert (EYECANDIES_RIG.window, EYECANDIES_RIG.gt_window) == (1036, 1036)
    assert (EYECANDIES_RIG.point_size, EYECANDIES_RIG.gt_point_size) == (10, 6)
    assert EYECANDIES_RIG.first_rotation == math.pi / 4
    assert EYECANDIES_RIG.steps_back


def test_real3d_rig() -> None:
    assert angles(REAL3D_RIG) == [("x", angle) for angle in range(-144, 145, 36)]
    assert (REAL3D_RIG.window, REAL3D_RIG.point_size) == (1036, 12)
    assert (REAL3D_RIG.normal_radius, REAL3D_RIG.normal_neighbours) == (0.8, 30)


def test_mvtec3d_point_sizes_differ_by_class() -> None:
    sizes = {
        "bagel": 7, "cable_gland": 12, "carrot": 7, "cookie": 6, "dowel": 10,
        "rope": 5, "peach": 7, "foam": 8, "potato": 8, "tire": 8,
    }  # fmt: skip
    assert {name: specification("mvtec_pc_3d_rgb").rig_for(name).point_size for name in sizes} == sizes
    assert specification("mvtec_pc_3d_rgb").rig_for("a class of one's own").point_size is None
    assert specification("eye_pc_3d_rgb").rig_for("Confetto") is EYECANDIES_RIG
    assert specification("real_pc_3d_rgb").rig_for("seahorse") is REAL3D_RIG


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="choose one of mvtec_pc_3d_rgb, eye_pc_3d_rgb, real_pc_3d_rgb"):
        specification("mvtec").rig_for("bagel")
    with pytest.raises(InputError, match="use x or y"):
        View("z", 10)


@pytest.mark.parametrize(("axis", "fixed"), [("x", 0), ("y", 1)])
def test_rotation_is_right_handed(axis: str, fixed: int) -> None:
    rotation = View(axis, 90).rotation
    unit = np.eye(3)
    np.testing.assert_allclose(rotation @ unit[fixed], unit[fixed], atol=1e-15)
    np.testing.assert_allclose(rotation @ unit[(fixed + 1) % 3], unit[(fixed + 2) % 3], atol=1e-15)


@pytest.mark.parametrize("degrees", [math.nan, math.inf, -math.inf])
def test_angles_are_finite(degrees: float) -> None:
    with pytest.raises(InputError, match="is not an angle; give a finite number"):
        View("x", degrees)


@pytest.mark.parametrize("rig", [MVTEC3D_RIG, EYECANDIES_RIG, REAL3D_RIG])
def test_rigs_look_from_every_direction_once(rig: ViewRig) -> None:
    assert repeated_direction(rig.views) is None
