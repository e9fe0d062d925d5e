"""Automatic point sizes close surfaces and are near those that the classes of MVTec 3D-AD have."""

import dataclasses

import numpy as np
import pytest
from portable_clouds import ShadedCloud, blob, bowl

from pointad.datasets.mvtec3d import MVTEC3D_RIG
from pointad.rendering.point_size import automatic_point_size
from pointad.rendering.renderer import render
from pointad.rendering.views import View


@pytest.mark.parametrize(("shaded", "low", "high"), [(bowl(336), 5, 12), (blob(136), 5, 12), (bowl(84), 20, 40)])
def test_size_follows_the_spacing(shaded: ShadedCloud, low: int, high: int) -> None:
    assert low <= automatic_point_size(shaded.cloud.points.T, 1024) <= high


def test_size_does_not_depend_on_the_unit() -> None:
    points = blob(60).cloud.points.T
    assert automatic_point_size(points, 1036) == automatic_point_size(points * 1000, 1036)


@pytest.mark.parametrize("side", [30, 60])
def test_surfaces_are_closed(side: int) -> None:
    shaded = blob(side)
    rig = dataclasses.replace(MVTEC3D_RIG, views=(View("x", 0),), point_size=None)
    picture = render(shaded.cloud, rig, normals=shaded.normals, image_size=336).views[0]
    assert (picture[120:220, 120:220] < 255).mean() > 0.9  # but for the highlight, no white shines through
    # Seen through gaps, the far side would darken single pixels; a closed surface is smooth.
    assert np.abs(np.diff(picture[140:200, 140:200].astype(int), axis=1)).max() < 60


def test_tiny_clouds() -> None:
    points = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert automatic_point_size(points, 1024) == 64
