"""Points on a mesh are the same however the file stores the surface, lie on it, and are spread evenly."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan
from pointad.scans.meshes import Mesh, scan_from_mesh, triangle_areas
from pointad.scans.surface_points import spread_points

COUNT = 4000


@pytest.fixture
def mesh() -> Mesh:
    """A bumpy sheet of triangles of very different sizes."""
    random = np.random.default_rng(0)
    u, v = np.meshgrid(np.linspace(0, 1, 30) ** 2, np.linspace(0, 1, 20))
    vertices = np.column_stack([u.ravel(), v.ravel(), random.random(u.size) / 30])
    first = (np.arange(19)[:, None] * 30 + np.arange(29)).ravel()
    faces = np.concatenate([first[:, None] + [0, 1, 30], first[:, None] + [1, 31, 30]])
    return Mesh(vertices, faces, random.integers(0, 256, (len(vertices), 3)).astype(np.uint8))


def sampled(mesh: Mesh, seed: int = 0) -> np.ndarray:
    scan = scan_from_mesh(mesh, COUNT, seed, Path("mesh"))
    assert scan.colors is not None and scan.colors.shape == scan.points.shape == (COUNT, 3)
    return scan.points


def test_the_order_of_triangles_corners_and_vertices_does_not_matter(mesh: Mesh) -> None:
    random = np.random.default_rng(1)
    expected = sampled(mesh)
    faces = np.array([random.permutation(face) for face in random.permutation(mesh.faces)])
    np.testing.assert_allclose(sampled(Mesh(mesh.vertices, faces, mesh.colors)), expected, atol=1e-12)
    order = random.permutation(len(mesh.vertices))
    assert mesh.colors is not None
    renumbered = Mesh(mesh.vertices[order], np.argsort(order)[mesh.faces], mesh.colors[order])
    np.testing.assert_allclose(sampled(renumbered), expected, atol=1e-12)
    assert not np.allclose(sampled(mesh, seed=1), expected)


def test_units_and_precision_do_not_matter(mesh: Mesh) -> None:
    expected = sampled(mesh)
    stored = Mesh((mesh.vertices * 1000).astype(np.float32).astype(np.float64), mesh.faces, mesh.colors)
    distances = np.linalg.norm(sampled(stored) / 1000 - expected, axis=1)
    assert np.median(distances) < 1e-6 and (distances < 1e-6).mean() > 0.99


def test_points_are_spread_by_area_more_evenly_than_by_chance(mesh: Mesh) -> None:
    areas = triangle_areas(mesh.vertices, mesh.faces)
    chosen, weights = spread_points(mesh.vertices, mesh.faces, areas, COUNT, 0)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    expected = areas / areas.sum() * COUNT
    assert np.abs(np.bincount(chosen, minlength=len(areas)) - expected).max() < 1
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=0.01)


def test_triangles_without_area_get_no_point() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0]], dtype=np.float64)
    chosen, _ = spread_points(vertices, np.array([[0, 1, 2], [0, 1, 3]]), np.array([0.5, 0.0]), 100, 0)
    assert set(chosen.tolist()) == {0}


def test_triangles_take_little_more_memory_than_their_corners(tmp_path: Path) -> None:
    many, count = 300_000, 200
    header = f"element vertex {count}\n" + "".join(f"property float {axis}\n" for axis in "xyz")
    header += "element tristrips 1\nproperty list int uchar vertex_indices\nend_header\n"
    random = np.random.default_rng(0)
    vertices, corners = random.random((count, 3)).astype("<f4"), random.integers(0, count, many).astype("<u1")
    path = tmp_path / "strip.ply"
    path.write_bytes(
        f"ply\nformat binary_little_endian 1.0\n{header}".encode()
        + vertices.tobytes() + np.array(many, "<i4").tobytes() + corners.tobytes()
    )  # fmt: skip
    read_scan(path, mesh_points=100)  # what is imported counts once
    tracemalloc.start()
    read_scan(path, mesh_points=100)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 120 * many  # three numbers of 8 bytes for each triangle, and a few of such arrays at a time
