"""Numbers that stand for no data become holes wherever they can be nothing else."""

import logging
from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan
from pointad.scans.no_data import without_no_data

RNG = np.random.default_rng(8)
POINTS = RNG.normal(size=(2000, 3)) * [30, 20, 10]
NUMBERS = [
    -999,
    -9999,
    9999,
    -32768,
    32767,
    65535,
    1e10,
    -1e10,
    1e38,
    float(np.finfo(np.float32).max),
    99999,
    2**31 - 1,
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("share", [0.001, 0.01, 0.9])
@pytest.mark.parametrize("axes", [(2,), (0, 1, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers(
    number: float, share: float, axes: tuple[int, ...], dtype: type, caplog: pytest.LogCaptureFixture
) -> None:
    points = POINTS.astype(dtype)
    holes = RNG.random(len(points)) < share
    holes[5] = True
    points[np.ix_(holes, axes)] = number
    with caplog.at_level(logging.WARNING):
        cleaned = without_no_data(points, "scan")
    assert np.isnan(cleaned[holes]).all() and f"scan: {holes.sum()} of 2000 points" in caplog.text
    np.testing.assert_array_equal(cleaned[~holes], points[~holes])
    assert cleaned.dtype == dtype and not np.isnan(points).any()


@pytest.mark.parametrize("number", [9.999, 32.767, 65.535])
def test_integers_that_were_scaled_to_metres(number: float) -> None:
    points = (POINTS * 0.001).astype(np.float32)
    points[::100, 2] = number
    assert np.flatnonzero(np.isnan(without_no_data(points, "scan")).any(axis=1)).tolist() == list(range(0, 2000, 100))


def test_several_numbers_beside_other_holes() -> None:
    grid = np.concatenate([POINTS + 500, np.zeros((500, 3))]).reshape(50, 50, 3)
    flat = grid.reshape(-1, 3)
    flat[3] = -9999
    flat[4] = 1e10
    flat[5] = np.nan
    flat[6] = np.inf
    cleaned = without_no_data(grid, "scan").reshape(-1, 3)
    assert np.flatnonzero(~np.isfinite(cleaned).all(axis=1)).tolist() == [3, 4, 5, 6]
    assert (cleaned[2000:] == 0).all()


def test_a_number_behind_a_stray_point() -> None:
    points = np.concatenate([POINTS, [[0.0, 0, -20_000], [3e4, 0, 0]]])
    points[:20] = -9999
    cleaned = without_no_data(points, "scan")
    assert np.flatnonzero(np.isnan(cleaned).any(axis=1)).tolist() == list(range(20))


def test_zeros_in_place_of_measurements(caplog: pytest.LogCaptureFixture) -> None:
    far = POINTS + np.array([0, 0, 600])
    far[::10, 2] = 0  # x and y are known, the height is not: 10 % of the points, too many to be strays
    far[5] = 0
    with caplog.at_level(logging.WARNING):
        cleaned = without_no_data(far, "scan")
    assert "201 of 2000 points are 0" in caplog.text
    np.testing.assert_array_equal(np.isnan(cleaned).any(axis=1), far[:, 2] == 0)
    near = POINTS.copy()  # about the origin, where only (0, 0, 0) cannot be a height
    near[::10] = 0
    near[7, 2] = 0
    np.testing.assert_array_equal(np.isnan(without_no_data(near, "scan")).any(axis=1), (near == 0).all(axis=1))
    near[::10] = POINTS[::10]
    near[4] = 0
    assert without_no_data(near, "a single point at the origin") is near
    raised = POINTS + np.array([0, 0, 600])
    raised[:1200, 2] = 0
    assert without_no_data(raised, "an object above most of its points") is raised


@pytest.mark.parametrize("text", ["3.40282e+38", "-3.40282e+38", "1.79769e+308"])
def test_the_largest_float_with_few_digits(text: str) -> None:
    points = POINTS.copy()
    points[7] = float(text)
    assert np.isnan(without_no_data(points, "scan")[7]).all()


UNTOUCHED = {
    "coordinates of a country": POINTS * 100 + [32767, 5e6, 0],
    "a table and a lid": np.where(POINTS[:, :1] > 0, [1.0, 2.0, 9.999], [4.0, 8.0, 0.0]) + POINTS,
    "an object as large": np.linspace(-9999, 9999, 2000)[:, None] * [1.0, 0.5, 0.2],
    "no points": np.zeros((0, 3)),
    "nothing but no data": np.full((50, 3), -9999.0),
    "whole steps": np.repeat([[-9999.0, -9999, -9999], [9999, 9999, 9999]], 50, axis=0),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_may_be_a_measurement_is_left_alone(name: str) -> None:
    assert without_no_data(UNTOUCHED[name], name) is UNTOUCHED[name]


def test_heights_of_0_on_a_grid_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows, columns = np.mgrid[:20, :24] * 0.5
    scan = np.stack([columns, rows, np.maximum(rows - 5, 0)], axis=-1)
    np.save(tmp_path / "a.npy", scan)
    with caplog.at_level(logging.WARNING):
        read_scan(tmp_path / "a.npy")
    assert "263 of 480 pixels have z = 0 and are read as holes" in caplog.text
    caplog.clear()
    scan[:11] = 0
    np.save(tmp_path / "b.npy", scan)
    with caplog.at_level(logging.WARNING):
        read_scan(tmp_path / "b.npy")
    assert not caplog.records


@pytest.mark.parametrize("number", [-1, -77.5, 12345, 0])
@pytest.mark.parametrize("shape", [(2000, 3), (40, 50, 3)])
@pytest.mark.parametrize("share", [0.01, 0.6])
def test_heights_apart_from_all_others_are_told(
    number: float, shape: tuple[int, ...], share: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    points = POINTS + np.array([0, 0, 300])
    alike = RNG.random(len(points)) < share
    points[alike, 2] = number
    np.save(tmp_path / "a.npy", points.reshape(shape))
    with caplog.at_level(logging.WARNING):
        scan = read_scan(tmp_path / "a.npy")
    if number or (len(shape) == 2 and share > 0.5):
        assert f"{alike.sum()} of 2000 points have z = {number:g}, and nearly all others are farther" in caplog.text
    else:
        assert scan.present.sum() == 2000 - alike.sum() and "nearly all others" not in caplog.text


def test_a_base_at_the_lowest_height_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    points = POINTS.copy()
    points[:, 2] = np.maximum(points[:, 2], -5)
    np.save(tmp_path / "a.npy", points)
    with caplog.at_level(logging.WARNING):
        read_scan(tmp_path / "a.npy")
    assert "nearly all others" not in caplog.text


def test_more_numbers_than_are_listed_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    points = POINTS.copy()
    points[:14, 2] = [-9999, -999, -99999, 999999, -32768, 65535, *(10.0 ** np.arange(10, 18))]
    with caplog.at_level(logging.WARNING):
        assert np.isnan(without_no_data(points, "a.npy")).any(axis=1).sum() == 14
    assert "14 of 2000 points are treated as holes for these and 4 more no-data values" in caplog.text
