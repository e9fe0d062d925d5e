"""heat.ply is read back by the libraries that people open it with."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from plyfile import PlyData

from pointad.inspection.heat_cloud import write_heat_cloud
from pointad.visualization.heat import heat_colors


@pytest.fixture
def cloud() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(321, 3)).astype(np.float32), random.random(321)


def test_plyfile_finds_points_scores_and_colours(cloud: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    points, scores = cloud
    write_heat_cloud(tmp_path / "heat.ply", points, scores, (0.0, 1.0))
    content = PlyData.read(tmp_path / "heat.ply")
    assert content.byte_order == "<" and not content.text
    vertex = content["vertex"]
    np.testing.assert_array_equal(np.stack([vertex[axis] for axis in "xyz"], axis=-1), points)
    np.testing.assert_array_equal(vertex["anomaly"], scores.astype(np.float32))
    colors = np.stack([vertex[channel] for channel in ("red", "green", "blue")], axis=-1)
    np.testing.assert_array_equal(colors, heat_colors(scores))


def test_trimesh_and_open3d_read_it(cloud: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    import open3d

    points, scores = cloud
    write_heat_cloud(tmp_path / "heat.ply", points, scores, (0.0, 1.0))
    assert np.asarray(trimesh.load(tmp_path / "heat.ply").vertices).shape == (321, 3)
    read = open3d.t.io.read_point_cloud(str(tmp_path / "heat.ply"))
    np.testing.assert_array_equal(read.point.positions.numpy(), points)
    np.testing.assert_array_equal(read.point.anomaly.numpy().ravel(), scores.astype(np.float32))
    np.testing.assert_array_equal(read.point.colors.numpy(), heat_colors(scores))


def test_coordinates_that_need_64_bits_get_them(tmp_path: Path) -> None:
    points = np.array([[4_500_000.123, 1.0, 2.0], [4_500_000.124, 1.0, 2.0]])
    write_heat_cloud(tmp_path / "heat.ply", points, np.array([0.1, 0.2]))
    vertex = PlyData.read(tmp_path / "heat.ply")["vertex"]
    assert vertex["x"].dtype == np.dtype("<f8")
    np.testing.assert_array_equal(vertex["x"], points[:, 0])
