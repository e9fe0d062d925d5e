"""Numbers of columns and rows in place of x and y are told, as they may be pixels."""

import logging
from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan

ROWS, COLUMNS = np.mgrid[:20, :30]
DEPTH = 400.25 - 6 * np.exp(-((ROWS - 9) ** 2 + (COLUMNS - 13) ** 2) / 20)
PIXELS = np.stack([COLUMNS, ROWS, DEPTH], axis=-1)
WITH_HOLES = np.where((COLUMNS + ROWS)[..., None] % 3, PIXELS, np.nan)
TOLD = "x and y number the columns and rows of a grid"
FOUND = {
    "cloud": PIXELS.reshape(-1, 3),
    "from 1, rows first": PIXELS.reshape(-1, 3)[:, [1, 0, 2]] + [1, 1, 0],
    "shuffled": np.random.default_rng(0).permutation(PIXELS.reshape(-1, 3)),
    "whole heights": np.rint(PIXELS.reshape(-1, 3)),
    "organized": PIXELS,
    "holes": WITH_HOLES,
    "holes of zeros": np.nan_to_num(WITH_HOLES),
}
SILENT = {
    "steps of a half": PIXELS * [0.5, 0.5, 1],
    "steps of two": PIXELS.reshape(-1, 3) * [2, 2, 1],
    "two heights at a place": np.repeat(PIXELS.reshape(-1, 3)[::2], 2, axis=0),
    "large": PIXELS.reshape(-1, 3) * 1e200,
    "large, of both signs": (PIXELS.reshape(-1, 3) - 200) * 8e305,
    "few of the places": PIXELS.reshape(-1, 3)[::7],
}


@pytest.mark.parametrize("name", [*FOUND, *SILENT])
def test_pixels(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    np.save(tmp_path / "a.npy", {**FOUND, **SILENT}[name])
    with caplog.at_level(logging.WARNING):
        read_scan(tmp_path / "a.npy")
    assert not recwarn.list
    assert (TOLD in caplog.text) == (name in FOUND)


@pytest.mark.parametrize("factor", [1, 0.5])
def test_meshes(factor: float, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = (np.arange(19)[:, None] * 30 + np.arange(29)).ravel() + 1
    vertices = "".join(f"v {x * factor} {y * factor} {z}\n" for x, y, z in PIXELS.reshape(-1, 3))
    quads = "".join(f"f {corner} {corner + 1} {corner + 31} {corner + 30}\n" for corner in first)
    (tmp_path / "a.obj").write_text(vertices + quads)
    assert read_scan(tmp_path / "a.obj").is_mesh
    assert (TOLD in caplog.text) == (factor == 1)
