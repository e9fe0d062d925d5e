"""Organized scans in the axes of robots and of turned cameras."""

import logging

import numpy as np
import pytest
from sample_scans import depth_scan

from pointad.errors import InputError
from pointad.inspection.preparation import FRONT_RIG, prepare_organized
from pointad.scans.scan_file import ScanFile
from pointad.scans.viewing_axes import follows_grid, viewing_rotation

SCAN = depth_scan(120, 160).astype(np.float64)
PRESENT = SCAN[..., 2] != 0
RAYS = np.stack([*np.meshgrid(np.arange(160) / 200 - 0.4, np.arange(120) / 200 - 0.3), np.ones((120, 160))], axis=-1)
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
    "y up, seen from the origin": SCAN[..., 2:] * RAYS * [1, -1, 1],
    "turned by 90 degrees": SCAN[..., [1, 0, 2]] * [1, -1, 1],
    "tilted by 40 degrees": SCAN @ np.array([[1, 0, 0], [0, 0.766, -0.643], [0, 0.643, 0.766]]).T,
    "one point": np.where(np.arange(120)[:, None, None] == 70, SCAN, 0)[:, :1].repeat(160, axis=1),
}


NOT_ON_THE_GRID = {
    "a picture": np.random.default_rng(6).random((12, 16, 3)).repeat(10, axis=0).repeat(10, axis=1),
    "normals": np.stack([np.sin(7 * SCAN[..., 2]), np.cos(9 * SCAN[..., 2]), np.ones((120, 160))], axis=-1),
    "another width": SCAN[:, :, :].reshape(96, 200, 3),
}


@pytest.mark.parametrize("name", NOT_ON_THE_GRID)
def test_what_is_no_scan_is_said(name: str, caplog: pytest.LogCaptureFixture) -> None:
    prepare_organized(NOT_ON_THE_GRID[name], None, FRONT_RIG)
    assert "do not follow the pixels" in caplog.text


TOWARDS_THE_SENSOR = {
    "OpenGL": SCAN * [1, -1, -1],
    "a table": (SCAN - [0, 0, 700]) * [1, -1, -1] * PRESENT[..., None],
    "a table in millimetres, far away": ((SCAN - [0, 0, 700]) * [1000, -1000, -1000] + [3e4, 5e4, 0])
    * PRESENT[..., None],
    "a table, turned by 90 degrees": (SCAN[..., [1, 0, 2]] - [0, 0, 700]) * [1, 1, -1] * PRESENT[..., None],
}


@pytest.mark.parametrize("name", TOWARDS_THE_SENSOR)
def test_heights_are_no_depths(name: str, caplog: pytest.LogCaptureFixture) -> None:
    scan = TOWARDS_THE_SENSOR[name]
    np.testing.assert_array_equal(viewing_rotation(scan, PRESENT), np.diag([1, -1, -1]))
    prepared = prepare_organized(scan, None, FRONT_RIG)
    assert "looks against its z axis" in caplog.text
    depth = prepare_organized(SCAN, None, FRONT_RIG).point_cloud.points[:, 2]
    np.testing.assert_allclose(prepared.point_cloud.points[:, 2], depth, atol=1e-9)


@pytest.mark.parametrize("name", ["OpenGL", "a table", "a robot"])
def test_points_far_outside_turn_no_axes(name: str, caplog: pytest.LogCaptureFixture) -> None:
    scan = {"a robot": ROBOT, **TOWARDS_THE_SENSOR}[name].copy()
    rotation = viewing_rotation(scan, PRESENT)
    assert not np.array_equal(rotation, np.eye(3))
    scan[tuple(np.argwhere(PRESENT)[::500].T)] *= 200
    np.testing.assert_array_equal(prepare_organized(scan, None, FRONT_RIG).rotation, rotation)
    assert "lie far outside" in caplog.text and "do not follow the pixels" not in caplog.text


def test_channels_of_opencv(caplog: pytest.LogCaptureFixture) -> None:
    prepare_organized(np.where(PRESENT[..., None], SCAN[..., ::-1], np.nan), None, FRONT_RIG)
    assert "looks against its x axis" in caplog.text and "swap these" in caplog.text


@pytest.mark.parametrize("name", CAMERAS)
def test_axes_of_cameras_stay(name: str) -> None:
    np.testing.assert_array_equal(viewing_rotation(CAMERAS[name], PRESENT), np.eye(3))
    assert follows_grid(CAMERAS[name], PRESENT) or name == "one point"


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


def test_which_way_z_points_is_said_where_it_cannot_be_told(caplog: pytest.LogCaptureFixture) -> None:
    columns, rows = np.meshgrid(np.arange(160) * 0.1, np.arange(120) * 0.1)
    heights = np.stack([columns, rows, 5 + np.sin(columns) * np.cos(rows)], axis=-1)
    with caplog.at_level(logging.INFO):
        prepare_organized(heights, None, FRONT_RIG)
    assert "z is taken to point away from the sensor" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        prepare_organized(RAYS * heights[..., 2:], None, FRONT_RIG)
    assert "z is taken" not in caplog.text


def turned(axis: int, degrees: float) -> np.ndarray:
    """A rotation (3, 3) about x, y or z."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation[[first, second], [first, second]] = cosine
    rotation[first, second], rotation[second, first] = -sine, sine
    return rotation


FRAMES = {
    "camera": np.eye(3),
    "heights": np.diag([1.0, -1, -1]),
    "a robot's": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
    "along y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "against x": np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("tilt", [0, 15, -30])
@pytest.mark.parametrize("spin", [0, 25, 200])
def test_scans_are_seen_from_their_front(frame: str, tilt: float, spin: float) -> None:
    to_file = FRAMES[frame] @ turned(0, tilt) @ turned(2, spin)
    noise = np.random.default_rng(3).normal(size=(120, 160, 1)) * 0.002 * PRESENT[..., None]
    scan = ((SCAN + noise * [0, 0, 1]) @ to_file.T + [3, -2, 0.5]) * PRESENT[..., None]
    rotation = viewing_rotation(scan, PRESENT)
    assert rotation[2] @ to_file[:, 2] > 0.8
    assert np.linalg.det(rotation) == 1


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("tilt", [0, 20])
def test_far_from_the_origin_a_scan_is_seen_from_its_front(frame: str, tilt: float) -> None:
    columns, rows = np.meshgrid(np.arange(90) * 0.1, np.arange(60) * 0.1)
    relief = np.stack([columns, rows, 5 + 0.2 * np.sin(columns / 1.5) + rows / 20], axis=-1)
    to_file = FRAMES[frame] @ turned(0, tilt)
    for offset in ([300, 400, 500], [-300, 200, 450], [20, -60, 480]):
        scan = relief @ to_file.T + offset
        assert viewing_rotation(scan, np.ones(scan.shape[:2], dtype=bool))[2] @ to_file[:, 2] > 0.8


def test_holes_in_every_other_pixel_do_not_hide_the_side_that_is_seen() -> None:
    heights = RAYS * [1, -1, 0] + [0, 0, 100.0]
    every_other = np.zeros_like(PRESENT)
    every_other[::2, ::2] = True
    every_other[1, 0] = True  # the grid begins beside the others
    np.testing.assert_array_equal(viewing_rotation(heights, every_other), np.diag([1, -1, -1]))


@pytest.mark.filterwarnings("error")
def test_few_pixels_have_no_side() -> None:
    few = np.zeros((400, 400), dtype=bool)
    few[[0, 50, 399], [71, 0, 399]] = True
    np.testing.assert_array_equal(viewing_rotation(few[..., None] * [1.0, 2.0, 3.0], few), np.eye(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_in_the_plane_of_the_origin_take_part(dtype: type) -> None:
    rows, columns = np.mgrid[:60, :80].astype(dtype)
    depth = np.rint(9 * np.sin(columns / 20) * np.cos(rows / 15))
    robot = np.stack([depth, 40 - columns, 30 - rows], axis=-1)  # x forward, 0 in the middle of the surface
    robot[3, 5] = np.nan
    prepared = prepare_organized(robot, None, FRONT_RIG)
    elsewhere = prepare_organized(robot + np.array([500, 0, 0], dtype), None, FRONT_RIG)
    np.testing.assert_array_equal(prepared.place, elsewhere.place)
    np.testing.assert_allclose(prepared.point_cloud.points, elsewhere.point_cloud.points, atol=1e-6)
    assert (prepared.place < 0).sum() == 1
