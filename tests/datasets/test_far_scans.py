"""Scans in national coordinates are rendered as the same scans near the origin are."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pointad.datasets import adam, folder, mvtec3d, realiad
from pointad.datasets.unorganized import prepare_cloud
from pointad.scans.offset import near_origin
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.tiff import read_xyz_tiff

OFFSET = np.array([500_000.0, 5_400_000.0, 300.0])
LABELS = np.arange(20_000) % 7 == 0


def sample_of(path: Path, name: str = "folder") -> RawSample:
    return RawSample(name, "part", "good", "000", 0, path)


def bowl() -> np.ndarray:
    rows, columns = np.mgrid[-1:1:120j, -1:1:120j] * 0.05
    return np.stack([columns, rows, 0.4 + 8 * (rows**2 + columns**2) + 0.02 * np.sin(90 * columns)], axis=-1)


@pytest.mark.parametrize(
    ("prepare", "suffix"),
    [(folder.prepare, ".npy"), (folder.prepare, ".tiff"), (realiad.prepare, ".tiff"), (adam.prepare, ".tiff"),
     (mvtec3d.prepare, ".tiff")],
)  # fmt: skip
def test_organized_scans(
    prepare: Callable[[RawSample], PreparedSample], suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scan = bowl()
    scan[40:44, 40:44] = 0
    for name, offset in (("near", 0), ("far", OFFSET)):
        moved = np.where(scan == 0, 0, scan + offset)
        np.save(tmp_path / name, moved) if suffix == ".npy" else tifffile.imwrite(
            tmp_path / f"{name}.tiff", moved, photometric="rgb"
        )
    near = prepare(sample_of(tmp_path / f"near{suffix}"))
    with caplog.at_level(logging.INFO):
        far = prepare(sample_of(tmp_path / f"far{suffix}"))
    assert "times its extent from the origin, and is moved near it" in caplog.text
    assert near.point_cloud.nonzero_indices is not None and far.point_cloud.nonzero_indices is not None
    np.testing.assert_array_equal(near.point_cloud.nonzero_indices, far.point_cloud.nonzero_indices)
    np.testing.assert_allclose(centred(far.point_cloud.points), centred(near.point_cloud.points), atol=1e-7)
    assert far.xyz is not None and far.xyz.dtype == np.float32


def test_clouds(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 3))
    points *= 0.1 / np.linalg.norm(points, axis=1, keepdims=True)
    near, far = (
        prepare_cloud(sample_of(tmp_path / "a.npy"), points + offset, LABELS, "a").point_cloud
        for offset in (np.zeros(3), OFFSET)
    )
    np.testing.assert_array_equal(near.labels, far.labels)
    np.testing.assert_allclose(centred(far.points), centred(near.points), atol=1e-8)
    distinct = [len(np.unique(each.points.astype(np.float32), axis=0)) for each in (near, far)]
    assert distinct[1] > 0.99 * distinct[0]


def test_scans_near_the_origin_stay_as_they_are() -> None:
    points = bowl().astype(np.float32)
    present = np.ones(points.shape[:2], bool)
    assert near_origin(points, present, "a") is points
    assert near_origin(points, np.zeros_like(present), "a") is points
    stray = points.astype(np.float64) + OFFSET
    stray[0, 0] = 0.001
    assert np.abs(near_origin(stray, present, "a")[1:]).max() < 1


@pytest.mark.parametrize(("stored", "read"), [("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("u2", "f4"), ("f2", "f4")])
def test_tiffs_keep_the_precision_that_they_have(stored: str, read: str, tmp_path: Path) -> None:
    values = (np.arange(48).reshape(4, 4, 3) + 2**20).astype(stored) if stored[1] != "2" else np.ones((4, 4, 3), stored)
    tifffile.imwrite(tmp_path / "a.tiff", values, photometric="rgb")
    found = read_xyz_tiff(tmp_path / "a.tiff")
    assert found.dtype == np.dtype(read)
    np.testing.assert_array_equal(found, values)


def centred(points: np.ndarray) -> np.ndarray:
    return points - points.mean(axis=0)
