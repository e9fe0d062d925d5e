"""Every format that people have, written by the libraries that they write it with, goes through from file to scores."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import trimesh
from plyfile import PlyData, PlyElement

from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import inspect_file
from pointad.scans.meshes import MESH_POINTS

COLORS = np.tile(np.array([[200, 100, 50], [10, 220, 130]], dtype=np.uint8), (1500, 1))


def write_with_open3d(path: Path, points: np.ndarray, **options: object) -> None:
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(COLORS / 255)
    assert open3d.io.write_point_cloud(str(path), cloud, **options)


def write_with_plyfile(path: Path, points: np.ndarray, **options: object) -> None:
    vertices = np.empty(len(points), dtype=[("x", "f8"), ("y", "f8"), ("z", "f8"), ("quality", "f4")])
    for axis, values in zip("xyz", points.T, strict=True):
        vertices[axis] = values
    vertices["quality"] = 1
    PlyData([PlyElement.describe(vertices, "vertex")], **options).write(path)  # type: ignore[arg-type]


CLOUD_WRITERS: dict[str, tuple[str, Callable[[Path, np.ndarray], object]]] = {
    "pcd binary, Open3D": (".pcd", write_with_open3d),
    "pcd ascii, Open3D": (".pcd", lambda path, points: write_with_open3d(path, points, write_ascii=True)),
    "pcd compressed, Open3D": (".pcd", lambda path, points: write_with_open3d(path, points, compressed=True)),
    "ply binary, Open3D": (".ply", write_with_open3d),
    "ply binary, trimesh": (".ply", lambda path, points: trimesh.PointCloud(points, COLORS).export(path)),
    "ply big-endian, plyfile": (".ply", lambda path, points: write_with_plyfile(path, points, byte_order=">")),
    "ply ascii, plyfile": (".ply", lambda path, points: write_with_plyfile(path, points, text=True)),
    "xyz, Open3D": (".xyz", write_with_open3d),
    "xyz, trimesh": (".xyz", lambda path, points: trimesh.PointCloud(points).export(path)),
    "xyz, NumPy": (".xyz", lambda path, points: np.savetxt(path, points)),
    "pts, Open3D": (".pts", write_with_open3d),
    "obj, trimesh": (".obj", lambda path, points: trimesh.PointCloud(points).export(path)),
    "npy, NumPy": (".npy", np.save),
    "npz, NumPy": (".npz", lambda path, points: np.savez(path, points=points, colors=COLORS)),
    "npz compressed, NumPy": (".npz", lambda path, points: np.savez_compressed(path, points)),
}


@pytest.mark.parametrize("written_by", CLOUD_WRITERS)
def test_cloud_files(written_by: str, detector: PointAD, cloud: np.ndarray, tmp_path: Path) -> None:
    suffix, write = CLOUD_WRITERS[written_by]
    path = tmp_path / f"scan{suffix}"
    write(path, cloud)
    inspection = inspect_file(detector, path)
    np.testing.assert_allclose(inspection.points, cloud, atol=1e-4)
    assert inspection.prediction.point_scores.shape == (len(cloud),)
    assert not inspection.is_mesh and inspection.regions


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl"])
def test_meshes_are_sampled(suffix: str, detector: PointAD, tmp_path: Path) -> None:
    path = tmp_path / f"mesh{suffix}"
    trimesh.creation.torus(4, 1.5).export(path)
    inspection = inspect_file(detector, path)
    assert inspection.is_mesh and inspection.points.shape == (MESH_POINTS, 3)
    distance_from_ring = np.hypot(np.hypot(*inspection.points[:, :2].T) - 4, inspection.points[:, 2])
    np.testing.assert_allclose(distance_from_ring, 1.5, atol=0.1)


SCAN_WRITERS: dict[str, tuple[str, Callable[[Path, np.ndarray], object]]] = {
    "tiff, tifffile": (".tiff", lambda path, xyz: tifffile.imwrite(path, xyz, photometric="rgb")),
    "tiff compressed, tifffile": (
        ".tif",
        lambda path, xyz: tifffile.imwrite(path, xyz, photometric="rgb", compression="zlib"),
    ),
    "npy, NumPy": (".npy", np.save),
    "npz, NumPy": (".npz", lambda path, xyz: np.savez(path, xyz=xyz)),
}


@pytest.mark.parametrize("written_by", SCAN_WRITERS)
def test_organized_files(written_by: str, detector: PointAD, scan: np.ndarray, tmp_path: Path) -> None:
    suffix, write = SCAN_WRITERS[written_by]
    path = tmp_path / f"scan{suffix}"
    write(path, scan)
    inspection = inspect_file(detector, path)
    assert inspection.prediction.point_scores.shape == scan.shape[:2]
    np.testing.assert_allclose(inspection.points, scan[scan[..., 2] != 0])
    assert inspection.prediction.score == pytest.approx(detector.predict(scan).score, abs=1e-6)


def test_what_takes_no_part_is_kept_but_decides_nothing(detector: PointAD, tmp_path: Path) -> None:
    """With the table removed its points stay in the results with score 0; threshold and colours come from the rest."""
    rows, columns = np.mgrid[:300, :300]
    x, y = (columns - 150) * 0.0005, (rows - 150) * 0.0005
    bump = (x**2 + y**2 < 0.03**2) * 0.03
    xyz = np.stack([x, y, 0.5 - bump], axis=-1) + np.random.default_rng(0).normal(scale=2e-4, size=(300, 300, 3))
    np.save(tmp_path / "scan.npy", xyz)
    inspection = inspect_file(detector, tmp_path / "scan.npy", options={"remove_table": True})
    assert len(inspection.points) == 300 * 300
    removed = ~inspection.prediction.taking_part.ravel()
    assert removed.mean() > 0.5 and (inspection.scores[removed] == 0).all()
    others = inspection.scores[~removed]
    assert inspection.region_threshold == pytest.approx((np.median(others) + others.max()) / 2)
    assert inspection.heat_range == pytest.approx((np.quantile(others, 0.05), others.max()))
