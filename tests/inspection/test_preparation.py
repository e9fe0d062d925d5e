"""Preparation: where every point goes, and that unit, offset, pose and size of a scan do not matter."""

import logging

import numpy as np
import pytest
from sample_scans import closed_shape, depth_scan
from scipy.spatial.transform import Rotation

from pointad.datasets.eyecandies import EYECANDIES_RIG
from pointad.errors import InputError
from pointad.inspection.pose import principal_axes
from pointad.inspection.preparation import (
    AROUND_RIG,
    EXTENT,
    FRONT_RIG,
    PLACES,
    choose_rig,
    prepare,
    prepare_cloud,
)


def test_names_of_rigs() -> None:
    assert choose_rig("auto", organized=True) is FRONT_RIG
    assert choose_rig("auto", organized=False) is AROUND_RIG
    assert choose_rig("front", organized=False) is FRONT_RIG
    assert choose_rig(EYECANDIES_RIG, organized=False) is EYECANDIES_RIG
    with pytest.raises(InputError, match="side"):
        choose_rig("side", organized=False)


def test_views_of_all_sides_face_the_ends_of_the_longest_axis() -> None:
    """The published views of closed shapes turn about that axis: seen at a right angle, its ends are in none."""
    around, all_sides = (choose_rig(name, organized=False) for name in ("around", "all_sides"))
    assert all_sides.views[:9] == around.views and len(all_sides.views) == 11
    ends = np.array([[1.0, 0, 0], [-1, 0, 0]])
    for rig, faced in ((around, 0.0), (all_sides, 1.0)):
        towards_camera = np.stack([view.rotation[2] for view in rig.views])
        np.testing.assert_allclose((ends @ towards_camera.T).max(axis=1), faced, atol=1e-12)
    points = closed_shape(2000)
    aligned = [prepare(points, None, None, rig).point_cloud.points for rig in ("around", "all_sides")]
    np.testing.assert_array_equal(*aligned)
    assert np.ptp(aligned[1], axis=0).argmax() == 0


def test_small_cloud_keeps_every_point_and_its_order() -> None:
    points = closed_shape(500)
    scan = prepare(points, None, None, "front")
    np.testing.assert_array_equal(scan.source, np.arange(500))
    np.testing.assert_array_equal(scan.place, np.arange(500))
    assert np.ptp(scan.point_cloud.points, axis=0).max() == pytest.approx(EXTENT)
    np.testing.assert_allclose(scan.point_cloud.points / scan.scale + scan.center, points)


def test_thinned_cloud_leads_every_point_to_its_nearest_kept_one() -> None:
    points = closed_shape(200_000)
    scan = prepare(points, None, None, "around")
    assert len(scan.source) <= PLACES
    some = np.random.default_rng(1).integers(0, len(points), 50)
    distances = np.linalg.norm(points[some, None] - points[None, scan.source], axis=-1)
    reached = np.linalg.norm(points[some] - points[scan.source[scan.place[some]]], axis=-1)
    np.testing.assert_allclose(reached, distances.min(axis=1), rtol=1e-6, atol=1e-9)


def test_points_that_are_no_measurements_take_no_part() -> None:
    points = closed_shape(500)
    points[[3, 4]] = np.nan
    points[5] = [0, np.inf, 0]
    points[[10, 11]] = 0
    scan = prepare(points, None, None, "around")
    np.testing.assert_array_equal(np.flatnonzero(scan.place < 0), [3, 4, 5, 10, 11])
    np.testing.assert_array_equal(scan.source[scan.place[scan.place >= 0]], np.flatnonzero(scan.place >= 0))


def test_strays_take_no_part() -> None:
    points = closed_shape(2000)
    expected = prepare(points, None, None, "around").point_cloud.points
    with_strays = np.insert(points, [0, 700, 2000], [[1e6, 0, 0], [0, -500, 0], [0, 0, 200]], axis=0)
    scan = prepare(with_strays, None, None, "around")
    np.testing.assert_array_equal(np.flatnonzero(scan.place < 0), [0, 701, 2002])
    np.testing.assert_allclose(scan.point_cloud.points, expected)
    flying = depth_scan(300, 300)
    flying[150, 150] = [0, 0, 40]
    assert prepare(flying, None, None, "auto").place[150 * 300 + 150] == -1


def test_unit_offset_and_pose_do_not_change_the_cloud_that_is_seen() -> None:
    points = closed_shape(2000)
    turn = Rotation.from_euler("xyz", [0.3, 1.1, -2.0]).as_matrix()
    expected = prepare(points, None, None, "around").point_cloud.points
    moved = prepare(points @ turn.T * 0.001 + [5, -7, 300], None, None, "around").point_cloud.points
    scale = np.ptp(expected, axis=0).max() / np.ptp(moved, axis=0).max()
    np.testing.assert_allclose(
        (moved - moved.mean(axis=0)) * scale, expected - expected.mean(axis=0), atol=1e-5 * EXTENT
    )


def test_a_rig_of_ones_own_keeps_the_pose() -> None:
    points = closed_shape(500)[:, [2, 1, 0]]
    scan = prepare(points, None, None, EYECANDIES_RIG)
    np.testing.assert_array_equal(scan.rotation, np.eye(3))


def test_principal_axes_are_a_rotation_with_the_longest_first() -> None:
    points = closed_shape(3000) @ Rotation.from_euler("xyz", [1, 2, 3]).as_matrix()
    axes = principal_axes(points)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1)
    spread = (points @ axes.T).std(axis=0)
    assert spread[0] > spread[1] > spread[2]


def test_symmetric_shapes_are_turned_alike_whatever_the_noise() -> None:
    """Points of an ellipsoid: the signs of the third moments are those of noise."""
    axes = []
    for seed in range(6):
        points = np.random.default_rng(seed).normal(size=(20_000, 3)) * [3, 2, 1]
        axes.append(principal_axes(points))
    np.testing.assert_allclose(axes, np.broadcast_to(np.eye(3), (6, 3, 3)), atol=0.1)
    skewed = np.random.default_rng(0).gamma(2, size=(20_000, 3)) * [3, 2, 1]
    turn = np.diag([-1.0, -1.0, 1.0])
    np.testing.assert_allclose(principal_axes(skewed @ turn), principal_axes(skewed) @ turn, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), [(336, 336), (500, 500), (200, 200), (480, 640), (640, 480), (123, 77)])
def test_organized_points_find_their_place(height: int, width: int) -> None:
    xyz = depth_scan(height, width)
    scan = prepare(xyz, None, None, "auto")
    assert scan.organized and scan.place.shape == (height * width,)
    present = xyz[..., 2].ravel() != 0
    assert (scan.place[~present] == -1).all() and (scan.place[present] >= 0).all()
    np.testing.assert_allclose(
        scan.point_cloud.points / scan.scale + scan.center, xyz.reshape(-1, 3)[scan.source], atol=1e-6
    )
    # The place of a rendered point is where its own original goes, or beside it.
    indices = scan.point_cloud.nonzero_indices
    assert indices is not None
    placed = scan.place[scan.source]
    assert (np.abs(placed // 336 - indices // 336) <= 2).all() and (np.abs(placed % 336 - indices % 336) <= 2).all()


def test_holes_of_every_kind_are_holes() -> None:
    xyz = depth_scan(336, 336)
    expected = prepare(xyz, None, None, "auto").point_cloud.points
    with_nan = np.where(xyz[..., 2:] == 0, np.nan, xyz)
    np.testing.assert_array_equal(prepare(with_nan, None, None, "auto").point_cloud.points, expected)


def test_picture_of_another_size_is_fitted_and_padded_with_the_scan() -> None:
    picture = np.full((240, 320, 3), 200, dtype=np.uint8)
    scan = prepare(depth_scan(480, 640), None, picture, "auto")
    assert scan.color is not None and scan.color.shape == (700, 700, 3)
    assert (scan.color[110:590, 30:670] == 200).all() and scan.color[:110].max() == 0


def test_table_is_removed_in_any_unit() -> None:
    rows, columns = np.mgrid[:300, :300]
    x, y = (columns - 150) * 0.0005, (rows - 150) * 0.0005
    bump = (x**2 + y**2 < 0.03**2) * 0.03
    noise = np.random.default_rng(0).normal(scale=2e-4, size=x.shape)
    in_metres = np.stack([x, y, 0.5 - bump + noise], axis=-1)
    for unit in (1.0, 0.001):
        scan = prepare(in_metres / unit, None, None, "auto", remove_table=True, metres_per_unit=unit)
        taking_part = (scan.place >= 0).reshape(x.shape)
        assert taking_part[bump > 0].mean() > 0.95 and taking_part[bump == 0].mean() < 0.02


@pytest.mark.parametrize(
    ("points", "colors", "rgb"),
    [
        (np.zeros((10, 2)), None, None),
        (np.zeros((4, 4, 4, 3)), None, None),
        (np.array([["a", "b", "c"]]), None, None),
        (closed_shape(50), None, None),
        (np.ones((500, 3)), None, None),
        (np.full((500, 3), np.nan), None, None),
        (np.zeros((40, 40, 3)), None, None),
        (closed_shape(500), None, np.zeros((5, 5, 3), np.uint8)),
        (depth_scan(100, 100), None, np.zeros((100, 100), np.uint8)),
        (depth_scan(100, 100), None, np.zeros((0, 0, 3), np.uint8)),
        (depth_scan(100, 100), np.zeros((100, 100, 3)), None),
    ],
)
def test_what_is_no_scan_is_refused(points: np.ndarray, colors: np.ndarray | None, rgb: np.ndarray | None) -> None:
    with pytest.raises(InputError):
        prepare(points, colors, rgb, "auto")


@pytest.mark.parametrize(("side", "told"), [(1, True), (24, True), (25, False), (50, False), (200, False)])
def test_pictures_far_coarser_than_the_scan_are_told(side: int, told: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Pictures of any size fit, but one of a single pixel shows no defect."""
    rows, columns = np.indices((50, 50)).astype(np.float32)
    xyz = np.stack([columns, rows, 100 + np.sin(rows / 5)], axis=-1)
    prepare(xyz, None, np.zeros((side, side, 3), np.uint8), "front")
    assert (f"the RGB picture of {side} x {side} pixels is coarser than the scan" in caplog.text) == told


@pytest.mark.parametrize(
    ("side", "measured", "said"),
    [
        (1, 1, "holds 1 point;"),
        (8, 64, "holds 64 points"),
        (50, 4, "holds 4 points"),
        (2000, 120, "holds 120 points, of which 21 remain on the grid"),
    ],
)
def test_pixels_of_the_scan_itself_are_counted(side: int, measured: int, said: str) -> None:
    rows, columns = np.indices((side, side)).astype(np.float32)
    xyz = np.stack([columns, rows, 100 + np.sin(rows / 5)], axis=-1)
    xyz.reshape(-1, 3)[measured:] = np.nan
    with pytest.raises(InputError, match=f"scan: {said}"):
        prepare(xyz, None, None, "front")


def test_the_log_names_the_scan(caplog: pytest.LogCaptureFixture) -> None:
    rows, columns = np.indices((50, 50)).astype(np.float32)
    xyz = np.stack([columns, rows, np.sin(rows / 5)], axis=-1)
    xyz[3, 3] = 1e6
    with caplog.at_level("INFO"):
        prepare(xyz, None, np.zeros((5, 5, 3), np.uint8), "front", remove_table=True, name="part 7")
        prepare(xyz.reshape(-1, 3), None, None, "front", name="part 7")
    assert len(caplog.messages) > 4 and all(message.startswith("part 7: ") for message in caplog.messages)


def test_repeated_points_count_once(caplog: pytest.LogCaptureFixture) -> None:
    """Writers repeat the last point to fill their files."""
    points = np.random.default_rng(11).normal(size=(3000, 3)) * [60, 40, 25]
    repeated = np.concatenate([points[:1000], points[[7] * 5000], points[1000:]])
    with caplog.at_level(logging.INFO):
        plain, found = (prepare_cloud(each, AROUND_RIG) for each in (points, repeated))
    assert "5000 of 8000 points repeat the position of another and count once" in caplog.text
    np.testing.assert_array_equal(found.point_cloud.points, plain.point_cloud.points)
    assert found.rig == plain.rig
    np.testing.assert_array_equal(found.place, np.concatenate([plain.place[:1000], [7] * 5000, plain.place[1000:]]))
    np.testing.assert_array_equal(repeated[found.source], points)


def test_far_points_that_make_the_object_a_dot_are_told(caplog: pytest.LogCaptureFixture) -> None:
    random = np.random.default_rng(12)
    points = random.normal(size=(3000, 3)) * [60, 40, 25]
    far = random.normal(size=(30, 3)) + np.array([1e5, 0, 0])
    with caplog.at_level(logging.WARNING):
        for usual in (points, np.column_stack([random.random(3000) * 100, random.random((3000, 2))])):
            prepare_cloud(usual, AROUND_RIG)
        assert not caplog.text
        prepare_cloud(np.concatenate([points, far]), AROUND_RIG)
    assert "half of its points lie within" in caplog.text


def test_whole_numbers_that_would_be_rounded_are_refused() -> None:
    steps = np.random.default_rng(13).integers(0, 1000, (500, 3))
    expected = prepare(steps.astype(np.float64), None, None, "around").point_cloud.points
    for kind in (np.int16, np.uint64, np.int64):
        np.testing.assert_array_equal(prepare(steps.astype(kind), None, None, "around").point_cloud.points, expected)
    prepare(steps + 2**52, None, None, "around")
    for far in (steps + 2**60, -steps - 2**60, steps.astype(np.uint64) + np.uint64(2**63)):
        with pytest.raises(InputError, match="would be rounded"):
            prepare(far, None, None, "around")


def test_single_precision_that_an_offset_has_spent_is_told(caplog: pytest.LogCaptureFixture) -> None:
    points = np.random.default_rng(14).normal(size=(3000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    prepare(points.astype(np.float32), None, None, "around")
    assert not caplog.text
    prepare((points + np.array([5e5, 5.4e6, 300])).astype(np.float32), None, None, "around", name="part 7")
    assert "part 7: " in caplog.text and "subtract an offset" in caplog.text


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("size", "unit"), [(1e20, 1.0), (1e8, 1e12), (1e37, 1e12), (1e298, 1.0), (1e298, 1e12)])
def test_no_table_is_looked_for_beyond_all_distances(size: float, unit: float) -> None:
    """Cells of millimetres are too many there for 64 bits, and products pass the end of single precision."""
    scan = depth_scan(60, 60).astype(np.float64) * size
    for xyz in (scan, scan.astype(np.float32)) if size < 1e38 else (scan,):
        with pytest.raises(InputError, match=r"m away, where no table can be found; give its unit"):
            prepare(xyz, None, None, "auto", remove_table=True, metres_per_unit=unit)
