"""Organized scans of data sets with other axes than a camera's, and TIFFs that state an orientation, are told."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from sample_scans import depth_scan

from pointad.scans.sample_axes import read_sample_tiff, warn_of_axes
from pointad.scans.tiff import read_xyz_tiff

SCAN = depth_scan(60, 80)


@pytest.mark.parametrize(
    "scan, said",
    [
        (SCAN[..., [2, 0, 1]] * [1, -1, -1], "looks along its x axis"),
        (SCAN[..., [2, 0, 1]] * [-1, 1, -1], "looks against its x axis"),
        ((SCAN - [0, 0, 1] * (SCAN != 0)) * [1, -1, -1], "looks against its z axis"),
        (np.random.default_rng(0).random((60, 80, 3)), "do not follow the pixels"),
    ],
    ids=["robot", "behind", "heights", "picture"],
)
def test_other_axes_are_told(scan: np.ndarray, said: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_axes(scan, "000.tiff")
    assert len([message for message in caplog.messages if "z = 0" not in message]) == 1 and said in caplog.text


@pytest.mark.parametrize("scan", [SCAN, SCAN * 1000, np.where(SCAN == 0, np.nan, SCAN), np.zeros((60, 80, 3))])
def test_a_cameras_axes_are_not_mentioned(scan: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_axes(scan, "000.tiff")
    assert not caplog.text


def test_heights_of_0_are_told(caplog: pytest.LogCaptureFixture) -> None:
    scan = SCAN.copy()
    scan[10:20, 30:50, 2] = 0
    scan[12, 40] = 0
    lost = int(((scan[..., 2] == 0) & (scan[..., :2] != 0).any(axis=-1)).sum())
    warn_of_axes(scan, "000.tiff")
    assert lost > 100 and f"000.tiff: {lost} of 4800 pixels have z = 0 and are read as holes" in caplog.text


@pytest.mark.parametrize(
    ("xyz", "said"),
    [
        (np.stack([*np.mgrid[:60, :80][::-1], SCAN[..., 2] + 1], axis=-1), "number the columns and rows"),
        (np.add(SCAN, [5e5, 0, 1]), "in steps of"),
        (SCAN, None),
    ],
    ids=["pixels", "offset", "fine"],
)
def test_what_coordinates_have_lost_is_told(
    xyz: np.ndarray, said: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tifffile.imwrite(tmp_path / "a.tiff", xyz.astype(np.float32), photometric="rgb")
    np.testing.assert_array_equal(read_sample_tiff(tmp_path / "a.tiff"), xyz.astype(np.float32))
    assert said in caplog.text if said else not caplog.messages


@pytest.mark.parametrize("pages", [False, True])
def test_an_orientation_is_told(tmp_path: Path, pages: bool, caplog: pytest.LogCaptureFixture) -> None:
    values = SCAN.astype(np.float32)
    for orientation in (1, 3):
        with tifffile.TiffWriter(tmp_path / "a.tiff") as file:
            for page in np.moveaxis(values, -1, 0) if pages else [values]:
                tags = [(274, "H", 1, orientation, True)]
                file.write(page, photometric="minisblack" if pages else "rgb", extratags=tags, metadata=None)
        np.testing.assert_array_equal(read_xyz_tiff(tmp_path / "a.tiff"), values)
        assert ("orientation tag" in caplog.text) == (orientation != 1)
