"""Coordinates that were rounded to a staircase when they were saved."""

import logging
from pathlib import Path

import numpy as np
import pytest
from sample_scans import closed_shape, depth_scan

from pointad.scans.coarseness import warn_of_coarse_coordinates
from pointad.scans.files import read_scan

CLOUD = closed_shape(20_000) / 10  # 6 m long
NATIONAL = CLOUD + np.array([500_000, 5_400_000, 300])
STRAY = np.where(np.arange(20_000)[:, None] == 7, 1e30, NATIONAL)


def warned(points: np.ndarray, caplog: pytest.LogCaptureFixture, is_mesh: bool = False) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        warn_of_coarse_coordinates(points, "a.ply", is_mesh=is_mesh)
    return caplog.text


def digits(points: np.ndarray, count: int) -> np.ndarray:
    return np.array([[float(f"{number:.{count}g}") for number in row] for row in points])


def test_files_in_single_precision_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.save(tmp_path / "double.npy", NATIONAL)
    np.save(tmp_path / "single.npy", NATIONAL.astype(np.float32))
    read_scan(tmp_path / "double.npy")
    assert not caplog.records
    read_scan(tmp_path / "single.npy")
    assert len(caplog.records) == 1 and "single.npy: y has " in caplog.text and "steps of 0.5" in caplog.text
    assert "subtract an offset" in caplog.text


@pytest.mark.parametrize(
    "points",
    [
        digits(NATIONAL, 6),
        digits(NATIONAL, 7),
        np.rint(CLOUD * 10) / 10,
        NATIONAL.astype(np.float32).astype(float).reshape(100, 200, 3),
        np.where(np.arange(20_000)[:, None] < 500, 0, NATIONAL.astype(np.float32)).astype(float),
        STRAY.astype(np.float32).astype(float),
        np.where(STRAY == 1e30, STRAY, np.rint(NATIONAL)),
    ],
)
def test_rounded_coordinates_are_told(points: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    assert warned(points, caplog).count("which changes its score") == 1


def test_vertices_of_meshes_may_share_places(caplog: pytest.LogCaptureFixture) -> None:
    assert not warned(np.rint(CLOUD * 10), caplog, is_mesh=True)
    assert warned(NATIONAL.astype(np.float32), caplog, is_mesh=True)


SCAN = depth_scan().astype(np.float64)
ROWS, COLUMNS = np.mgrid[:200, :300] * 1.0
HEIGHTS = np.rint(10 * np.sin(ROWS / 40) + 10)
VOXELS = np.unique(np.rint(CLOUD * 20), axis=0)
ORDINARY = {
    "national coordinates in double precision": NATIONAL,
    "millimetres with three decimals, far away": np.round(CLOUD * 1000 + 900_000, 3),
    "single precision without an offset": CLOUD.astype(np.float32),
    "micrometres in whole numbers": np.rint(CLOUD * 1e6),
    "voxels": VOXELS,
    "centres of voxels": VOXELS / 20 + 0.025,
    "a map of heights in whole steps": np.stack([COLUMNS, ROWS, HEIGHTS], axis=-1),
    "the same as a cloud": np.stack([COLUMNS, ROWS, HEIGHTS], axis=-1).reshape(-1, 3),
    "depths in whole millimetres": np.stack([*np.moveaxis(SCAN[..., :2], -1, 0), np.round(SCAN[..., 2], 3)], axis=-1),
    "scan lines": np.stack([np.sin(COLUMNS / 30) * 40, ROWS * 5, np.cos(COLUMNS / 30) * 40], axis=-1).reshape(-1, 3),
    "a plane": np.stack([COLUMNS, ROWS, np.full_like(ROWS, 300)], axis=-1).reshape(-1, 3),
    "holes": np.full((100, 3), np.nan),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_scans_are_read_without_a_word(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not warned(ORDINARY[name], caplog)
