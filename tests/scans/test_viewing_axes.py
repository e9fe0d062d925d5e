"""Organized scans in the axes of robots and of turned cameras."""

import logging

import numpy as np
import pytest
from sample_scans import depth_scan

from pointad.errors import InputError
from pointad.inspection.preparation import FRONT_RIG, prepare_organized
from pointad.scans.scan_file import ScanFile
from pointad.scans.viewing_axes import viewing_rotation

SCAN = depth_scan(120, 160).astype(np.float64)
PRESENT = SCAN[..., 2] != 0
ROBOT = np.stack([SCAN[..., 2], -SCAN[..., 0], -SCAN[..., 1]], axis=-1)  # x forward, y to the left, z up


def test_axes_of_a_robot() -> None:
    rotation = viewing_rotation(ROBOT, PRESENT)
    np.testing.assert_array_equal(rotation, [[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    assert np.linalg.det(rotation) == 1
    assert np.allclose((ROBOT @ rotation.T)[PRESENT], SCAN[PRESENT])


def test_the_same_scan_is_prepared_in_either_axes(caplog: pytest.LogCaptureFixture) -> None:
    camera = prepare_organized(SCAN, None, FRONT_RIG)
    assert not caplog.records
    scan = ScanFile(np.where(PRESENT[..., None], ROBOT, np.nan))
    assert (ROBOT[PRESENT][:, 2] == 0).any()  # a height of 0 is no hole
    np.testing.assert_array_equal(scan.present, PRESENT)
    with caplog.at_level(logging.WARNING):
        robot = prepare_organized(scan.points, None, FRONT_RIG)
    assert "looks along its x axis" in caplog.text
    np.testing.assert_array_equal(robot.rotation, [[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    np.testing.assert_array_equal(camera.rotation, np.eye(3))
    np.testing.assert_allclose(robot.point_cloud.points, camera.point_cloud.points, atol=1e-12)
    np.testing.assert_array_equal(robot.source, camera.source)
    np.testing.assert_array_equal(robot.place, camera.place)


CAMERAS = {
    "as it is": SCAN,
    "z towards the viewer": SCAN * [1, -1, -1],
    "turned by 90 degrees": SCAN[..., [1, 0, 2]] * [1, -1, 1],
    "tilted by 40 degrees": SCAN @ np.array([[1, 0, 0], [0, 0.766, -0.643], [0, 0.643, 0.766]]).T,
    "one point": np.where(np.arange(120)[:, None, None] == 70, SCAN, 0)[:, :1].repeat(160, axis=1),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_axes_of_cameras_stay(name: str) -> None:
    np.testing.assert_array_equal(viewing_rotation(CAMERAS[name], PRESENT), np.eye(3))


@pytest.mark.parametrize("shape", [(1200, 250), (50, 201), (2, 1000)])
def test_long_strips_are_refused(shape: tuple[int, int]) -> None:
    strip = np.ones((*shape, 3))
    with pytest.raises(InputError, match="too elongated"):
        prepare_organized(strip, None, FRONT_RIG)


def test_pictures_of_the_same_proportions_only() -> None:
    for height, width in ((120, 160), (240, 320), (61, 80), (600, 800)):
        prepare_organized(SCAN, np.zeros((height, width, 3), np.uint8), FRONT_RIG)
    for height, width in ((160, 120), (120, 120), (1080, 1920)):
        with pytest.raises(InputError, match="does not match the scan's proportions"):
            prepare_organized(SCAN, np.zeros((height, width, 3), np.uint8), FRONT_RIG)


@pytest.mark.parametrize("factor", [1e-310, 1e304])
def test_coordinates_that_rounding_eats(factor: float) -> None:
    with pytest.raises(InputError, match="unit"):
        prepare_organized(SCAN * factor * 100, None, FRONT_RIG)
