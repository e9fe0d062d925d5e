"""Rendering with several threads gives what one gives."""

import numpy as np
import pytest
import torch
from sample_scans import closed_shape

from pointad.inspection.parallel_rendering import render_in_threads, spatial_order
from pointad.inspection.preparation import prepare
from pointad.rendering.renderer import render


@pytest.mark.parametrize("threads", [1, 2, 4, 20])
def test_views_are_those_of_the_renderer_in_its_order(threads: int) -> None:
    scan = prepare(closed_shape(2000), None, None, "around")
    expected = render(scan.point_cloud, scan.rig, visibility="splat")
    found = render_in_threads(scan.point_cloud, scan.rig, visibility="splat", threads=threads)
    np.testing.assert_array_equal(found.correspondences, expected.correspondences)
    np.testing.assert_array_equal(found.nonzero_indices, expected.nonzero_indices)
    difference = np.abs(found.views.astype(int) - expected.views)
    assert difference.mean() < 0.01, "normals may differ in their last bits"


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def test_the_device_does_not_matter(device: str) -> None:
    scan = prepare(closed_shape(2000), None, None, "around")
    expected = render_in_threads(scan.point_cloud, scan.rig, visibility="splat")
    found = render_in_threads(scan.point_cloud, scan.rig, visibility="splat", device=torch.device(device))
    np.testing.assert_array_equal(found.correspondences, expected.correspondences)
    assert np.abs(found.views.astype(int) - expected.views).max() <= 1


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_spatial_order_brings_neighbours_together(scale: float) -> None:
    points = closed_shape(5000) * scale
    order = spatial_order(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(5000))

    def mean_step(cloud: np.ndarray) -> float:
        return float(np.linalg.norm(np.diff(cloud / scale, axis=0), axis=1).mean())

    assert mean_step(points[order]) < 0.2 * mean_step(points)


def test_spatial_order_of_one_place() -> None:
    np.testing.assert_array_equal(np.sort(spatial_order(np.ones((5, 3)))), np.arange(5))
