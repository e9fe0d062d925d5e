"""Tables and arrays without names whose first columns are no coordinates are refused, ordinary ones never."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.base import COLORS, COUNT, GRID, GRID_COLORS, NORMALS, POINTS, lines, rows

from pointad.errors import InputError
from pointad.scans.files import read_scan

RNG = np.random.default_rng(5)
TENTHS = np.rint(POINTS * 10).astype(int)  # tenths of a millimetre
TIMES = np.arange(COUNT)[:, None] * 0.02
JITTER = np.cumsum(RNG.random((COUNT, 1)) + 0.01, axis=0)
SHADES = RNG.integers(0, 256, (COUNT, 1))
DEVIATIONS = RNG.normal(size=(COUNT, 1))
SMALL = np.abs(POINTS) / 40  # metres, all between 0 and 1
WHOLE = np.rint(np.abs(POINTS) * 5).astype(int)  # 0 to 255
BY_X = POINTS[POINTS[:, 0].argsort()]
TURNED = GRID.transpose(1, 0, 2).reshape(-1, 3) @ np.array([[1, 1e-3, 0], [-1e-3, 1, 0], [0, 0, 1]])
TURNED = TURNED[TURNED[:, 0].argsort()]
RASTER = GRID.reshape(-1, 3) * [0, 0, 0.002] + np.indices(GRID.shape[:2]).reshape(2, -1).T @ np.eye(2, 3) / 255
PLACES = np.indices((20, COUNT // 20)).reshape(2, -1).T
FLAT = POINTS * [1, 1, 0]
HELIX = np.hstack([np.arange(COUNT)[:, None] * 0.01, 30 * NORMALS[:, :2]])

REFUSED = {
    "times": ([TIMES, POINTS], "times"),
    "rounded times": ([np.round(TIMES * 5 / 3, 2), POINTS], "times"),
    "times and intensities": ([TIMES, POINTS, SHADES], "times"),
    "colours before tenths": ([COLORS, TENTHS], "colours"),
    "colours to 1": ([COLORS / 255, POINTS], "colours"),
    "colours and alpha before tenths": ([COLORS, np.full((COUNT, 1), 255), TENTHS], "colours"),
    "intensities to 1": ([SHADES / 255, POINTS], "intensity"),
    "intensities to 1 before metres": ([SHADES / 255, SMALL], "intensity"),
    "rows and columns": ([PLACES, POINTS], "numbers of rows and columns"),
    "rows and columns from 1, and colours": ([PLACES + 1, POINTS, COLORS], "numbers of rows and columns"),
    "labels before metres": ([SHADES % 2, SMALL], "a label or an intensity"),
    "labels before a flat plate": ([SHADES % 2, FLAT], "a label or an intensity"),
    "labels before whole numbers": ([SHADES % 2, np.rint(POINTS * 100)], "a label or an intensity"),
    "colours before a flat plate": ([COLORS, FLAT], "colours"),
    "normals before a flat plate": ([NORMALS, FLAT], "normals"),
    "colours and normals": ([COLORS, NORMALS, POINTS], "colours and normals"),
    "colours and normals before metres": ([COLORS, NORMALS, SMALL], "colours and normals"),
    "labels, intensities and times": ([SHADES % 3, SHADES * 9, TIMES + 1.6e9, SMALL], "times"),
    "intensities and times": ([DEVIATIONS + 50, TIMES + 1.6e9, POINTS], "times"),
}
ORDINARY = {
    "small": [SMALL],
    "small and intensities": [SMALL, SHADES],
    "small and colours": [SMALL, COLORS],
    "small and colours to 1": [SMALL, COLORS / 255],
    "small and normals": [SMALL, NORMALS],
    "intensities to 1": [POINTS, SHADES / 255],
    "tenths and intensities": [TENTHS, SHADES],
    "whole and colours": [WHOLE, COLORS],
    "whole and colours to 1": [WHOLE, COLORS / 255],
    "whole, intensities, labels and numbers": [WHOLE, SHADES, SHADES % 3, SHADES * 7],
    "raster scaled to 1": [RASTER, GRID_COLORS.reshape(-1, 3)[:, :1] / 251],
    "raster": [GRID.reshape(-1, 3), GRID_COLORS.reshape(-1, 3)[:, :1]],
    "raster along y": [GRID.transpose(1, 0, 2).reshape(-1, 3), GRID_COLORS.reshape(-1, 3)[:, :1] / 255],
    "raster slightly turned": [TURNED, RNG.normal(size=(len(TURNED), 1))],
    "sorted by x": [BY_X, DEVIATIONS],
    "sorted by x, with normals": [BY_X, NORMALS],
    "unit sphere with colours to 1": [NORMALS, COLORS / 255],
    "unit sphere with intensities and colours": [NORMALS, SHADES * 9, COLORS],
    "places with heights and normals": [PLACES, POINTS[:, 2:], NORMALS],
    "places with heights and colours": [PLACES, POINTS[:, 2:], COLORS],
    "helix": [HELIX, SHADES],
    "helix with colours": [HELIX, COLORS],
    "whole, normals and colours": [WHOLE, NORMALS, COLORS],
    "whole, normals and colours to 1": [WHOLE, NORMALS, COLORS / 255],
    "nanometres with colours": [POINTS * 1e4 + [0, 0, 3e8], COLORS],
    "nanometres with normals": [POINTS * 1e4 + [0, 0, 3e8], NORMALS],
}


def write(folder: Path, columns: list[np.ndarray], suffix: str) -> Path:
    path = folder / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, np.hstack(columns))
    else:
        path.write_bytes(lines(rows(*columns, form="%.4f")))
    return path


@pytest.mark.parametrize("suffix", [".txt", ".npy"])
@pytest.mark.parametrize("name", REFUSED)
def test_columns_in_front_of_the_coordinates_are_refused(name: str, suffix: str, tmp_path: Path) -> None:
    columns, kind = REFUSED[name]
    with pytest.raises(InputError, match=f"begins with what looks like .*{kind}; name the columns"):
        read_scan(write(tmp_path, columns, suffix))


@pytest.mark.parametrize("suffix", [".txt", ".npy"])
@pytest.mark.parametrize("name", ORDINARY)
def test_coordinates_in_front_are_read(name: str, suffix: str, tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path, ORDINARY[name], suffix))
    np.testing.assert_allclose(scan.points, np.hstack(ORDINARY[name])[:, :3], atol=1e-4)
    assert (scan.colors is not None) == ("colours" in name)


@pytest.mark.parametrize(
    "channels",
    [
        [GRID_COLORS.astype("f4")],
        [GRID_COLORS / np.float32(255)],
        [GRID_COLORS[..., :1] / 255],
        [GRID_COLORS[..., :1] % 2],
    ],
    ids=["colours", "colours to 1", "intensities", "mask"],
)
def test_channels_in_front_of_an_organized_scan_are_refused(channels: list[np.ndarray], tmp_path: Path) -> None:
    grid = GRID * 0.00103  # metres
    grid[3:5, 7:9] = 0
    np.save(tmp_path / "a.npy", np.concatenate([*channels, grid], axis=-1))
    with pytest.raises(InputError, match="begins with what looks like"):
        read_scan(tmp_path / "a.npy")


def test_amplitudes_behind_an_organized_scan_in_whole_steps(tmp_path: Path) -> None:
    amplitudes = 300 * RNG.random((*GRID.shape[:2], 1))
    grid = GRID * [1, 1.03, 1.01]  # of which only x is whole
    np.save(tmp_path / "a.npy", np.concatenate([grid, amplitudes], axis=-1))
    np.testing.assert_array_equal(read_scan(tmp_path / "a.npy").points, grid)


@pytest.mark.parametrize("suffix", [".txt", ".npy"])
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([POINTS, DEVIATIONS], "the fourth, which has no name, is ignored"),
        ([COLORS, NORMALS], "the last 3 columns have no names and are ignored"),
        ([WHOLE, COLORS], "4 to 6 as colours; if it is the other way round, name the columns"),
        ([SHADES * 9, RNG.random((COUNT, 3))], "the fourth, which has no name, is ignored"),
        ([SHADES * 0 + 7, np.rint(POINTS)], "the fourth, which has no name, is ignored"),
        ([DEVIATIONS, np.rint(POINTS)], "the fourth, which has no name, is ignored"),
        ([HELIX, SHADES / 255], "if the first holds times, name the columns"),
        ([JITTER, POINTS], "if the first holds times, name the columns"),
        ([JITTER, POINTS, SHADES], "the last 2 columns have no names and are ignored; if the first holds times"),
        ([JITTER, POINTS, COLORS], "columns 1 to 3 are read as x, y, z and 5 to 7 as colours"),
        ([POINTS, SHADES, COLORS], "4 to 6 as colours"),
        ([POINTS, DEVIATIONS, COLORS], "5 to 7 as colours"),
        ([RNG.random((COUNT, 1)), FLAT], "the first three columns are read as x, y, z"),
        ([RNG.random((COUNT, 3)), POINTS], "columns 1 to 3 are read as x, y, z"),
        ([JITTER, RNG.random((COUNT, 3))], "if the first holds times, name the columns"),
        (
            [JITTER, RNG.random((COUNT, 3)), COLORS],
            "5 to 7 as colours; the others have no names; if the first holds times",
        ),
        ([RNG.random((COUNT, 1)), RNG.random((COUNT, 3))], "the fourth, which has no name, is ignored"),
        ([RNG.random((COUNT, 6))], "4 to 6 as colours; if it is the other way round, name the columns"),
        ([POINTS, COLORS, np.full((COUNT, 1), 255)], ""),
        ([POINTS, COLORS, SHADES % 5], ""),
        ([POINTS, COLORS, NORMALS], ""),
        ([POINTS, np.ones((COUNT, 1))], ""),
        ([POINTS, SHADES], ""),
        ([POINTS, SHADES / 255], ""),
        ([POINTS, NORMALS], ""),
    ],
    ids=[
        *(
            "deviations",
            "bytes and normals",
            "bytes twice",
            "counts",
            "constant",
            "fractions before steps",
            "steady",
            "jitter",
            "jitter and bytes",
            "jitter and colours",
            "bytes and colours",
        ),
        *(
            "deviations and colours",
            "fractions before a plate",
            "fractions",
            "jitter before fractions",
            "jitter, fractions and colours",
            "fractions alone",
            "six fractions",
            "alpha",
            "colours and labels",
            "colours and normals",
        ),
        *("weights", "bytes", "intensities", "normals"),
    ],
)
def test_what_is_said_of_columns_that_are_ignored(
    columns: list[np.ndarray], said: str, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        read_scan(write(tmp_path, columns, suffix))
    assert said in caplog.text
    assert bool(caplog.records) == bool(said)
