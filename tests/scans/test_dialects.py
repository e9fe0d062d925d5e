"""Every dialect of every format: points in number, order and value, holes, colours, and what the log says."""

import logging
from pathlib import Path

import numpy as np
import pytest
from dialects.arrays import ARRAYS, REFUSED_ARRAYS
from dialects.base import Dialect
from dialects.meshes import EXTENT, MESHES, OBJ, REFUSED_MESHES
from dialects.other_formats import REFUSED_OTHERS
from dialects.pcd import PCD, REFUSED_PCD
from dialects.ply import PLY, REFUSED_PLY
from dialects.text import REFUSED_TEXT, TEXT
from dialects.tiff import REFUSED_TIFF, TIFF

from pointad.errors import InputError
from pointad.scans.files import read_scan

FORMATS = {"text": TEXT, "array": ARRAYS, "pcd": PCD, "ply": PLY, "obj": OBJ, "tiff": TIFF}
CLOUDS = {f"{name}: {key}": case for name, cases in FORMATS.items() for key, case in cases.items()}
REFUSED = {
    f"{name}: {key}": case
    for name, cases in {
        "text": REFUSED_TEXT,
        "array": REFUSED_ARRAYS,
        "pcd": REFUSED_PCD,
        "ply": REFUSED_PLY,
        "mesh": REFUSED_MESHES,
        "tiff": REFUSED_TIFF,
        "other": REFUSED_OTHERS,
    }.items()
    for key, case in cases.items()
}


def write(folder: Path, dialect: Dialect) -> Path:
    path = folder / f"scan{dialect.suffix}"
    path.write_bytes(dialect.content)
    return path


@pytest.mark.parametrize("name", CLOUDS)
def test_points_and_colours(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dialect = CLOUDS[name]
    with caplog.at_level(logging.WARNING):
        scan = read_scan(write(tmp_path, dialect))
    holes = np.isnan(dialect.points).any(axis=-1)
    assert scan.points.shape == dialect.points.shape and not scan.is_mesh
    np.testing.assert_array_equal(scan.present, ~holes)
    np.testing.assert_allclose(scan.points[~holes], dialect.points[~holes], rtol=1e-6, atol=1e-5)
    if dialect.colors is None:
        assert scan.colors is None
    else:
        np.testing.assert_array_equal(scan.colors, dialect.colors)
    assert dialect.log in caplog.text


@pytest.mark.parametrize("name", MESHES)
def test_surfaces(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dialect = MESHES[name]
    with caplog.at_level(logging.WARNING):
        scan = read_scan(write(tmp_path, dialect), mesh_points=6000)
    assert scan.is_mesh and scan.points.shape == (6000, 3)
    half = EXTENT / 2
    on_face = np.isclose(np.abs(scan.points), half, atol=1e-4)
    assert on_face.any(axis=1).all() and (np.abs(scan.points) <= half + 1e-4).all()
    for axis in range(3):  # both sides, in proportion to their area: 600, 800 and 1200 of 5200 twice
        share = {0: 600, 1: 800, 2: 1200}[axis] / 5200
        for sign in (-1, 1):
            side = np.isclose(scan.points[:, axis], sign * half[axis], atol=1e-4).mean()
            assert abs(side - share) < 0.03, (axis, sign, side)
    assert dialect.log in caplog.text


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(name: str, tmp_path: Path) -> None:
    suffix, content, reason = REFUSED[name]
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_scan(path)
    assert reason in str(caught.value) and path.name in str(caught.value) and "\n" not in str(caught.value)


def test_silence_over_what_is_plain(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("text: UTF-8 with a mark", "text: id first", "pcd: r g b", "ply: upper case", "tiff: pages"):
        read_scan(write(tmp_path, CLOUDS[name]))
    assert not caplog.records
