"""Normals by every way that leads to them."""

import builtins
import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from portable_clouds import blob, bowl
from reference_cases import psnr

from pointad.datasets.registry import specification
from pointad.rendering.normals import estimate_normals, grid_normals, smallest_direction
from pointad.rendering.renderer import render


def refuse_open3d(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Importing Open3D fails with this error."""
    importer = builtins.__import__

    def refuse(name: str, *arguments: Any) -> Any:
        if name == "open3d":
            raise error
        return importer(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.fixture
def without_open3d(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing Open3D fails as it does where its system libraries are missing."""
    refuse_open3d(monkeypatch, ImportError("libusb-1.0.so.0: cannot open shared object file"))


def smallest_spread(points: np.ndarray, center: int, radius: float, count: int) -> np.ndarray:
    distance = np.linalg.norm(points - points[center], axis=1)
    nearest = np.argsort(distance)[:count]
    nearest = nearest[distance[nearest] < radius]
    if len(nearest) < 3:
        return np.array([0.0, 0.0, 1.0])
    return np.linalg.eigh(np.cov(points[nearest].T))[1][:, 0]


def assert_parallel(first: np.ndarray, second: np.ndarray, degrees: float) -> None:
    cosine = np.abs((first * second).sum(axis=-1))
    assert np.degrees(np.arccos(np.minimum(cosine, 1))).max() < degrees


@pytest.mark.parametrize(("radius", "count"), [(0.1, 50), (0.002, 30)])
def test_normals_are_the_directions_of_least_spread(radius: float, count: int) -> None:
    points = bowl(84).cloud.points
    sample = np.arange(0, len(points), 97)
    expected = np.stack([smallest_spread(points, center, radius, count) for center in sample])
    assert_parallel(estimate_normals(points, radius, count)[sample], expected, 1e-3)


def test_normals_without_open3d_are_the_same(request: pytest.FixtureRequest) -> None:
    points = np.concatenate((blob(30).cloud.points, [[100.0, 0.0, 0.0]] * 2))
    pytest.importorskip("open3d", exc_type=ImportError)
    expected = estimate_normals(points, 3.0, 30)
    request.getfixturevalue("without_open3d")
    normals = estimate_normals(points, 3.0, 30)
    assert_parallel(normals, expected, 1e-3)
    np.testing.assert_array_equal(normals[-2:], [[0, 0, 1]] * 2)


@pytest.mark.parametrize(
    "error",
    [
        OSError("libOpen3D.so.0.20: failed to map segment from shared object"),
        ImportError("open3d/pybind.so: cannot map zero-fill pages: Cannot allocate memory"),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE), "open3d/__init__.py"),
    ],
)
def test_open3d_that_does_not_fit_into_memory_is_not_replaced(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ``ulimit -v``, SciPy would fit, and some pixels would differ by a grey level."""
    refuse_open3d(monkeypatch, error)
    with pytest.raises(MemoryError, match="Open3D cannot be loaded"):
        estimate_normals(np.eye(3), 5.0, 50)


def test_libraries_in_a_bad_order_are_no_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_open3d(monkeypatch, OSError("libgomp.so.1: cannot allocate memory in static TLS block"))
    assert estimate_normals(np.eye(3), 5.0, 50).shape == (3, 3)


@pytest.mark.filterwarnings("error")
def test_a_warning_of_open3d_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under ``python -W error`` it is raised; Open3D warns of GPUs that it does not find."""
    (tmp_path / "open3d.py").write_text("import warnings\nwarnings.warn('no suitable devices', ImportWarning)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "open3d", None)
    del sys.modules["open3d"]  # what it was comes back after the test
    with pytest.raises(AttributeError, match="geometry"):  # of the module above, which has been imported
        estimate_normals(np.eye(3), 5.0, 50)


@pytest.mark.usefixtures("without_open3d")
def test_clouds_smaller_than_the_neighbourhood() -> None:
    normals = estimate_normals(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), 5.0, 50)
    assert_parallel(normals, np.array([0.0, 0.0, 1.0]), 1e-3)


def test_grid_normals_give_nearly_the_same_pictures() -> None:
    cloud = bowl(336).cloud
    rig = specification("mvtec_pc_3d_rgb").rig_for("bagel")
    exact = render(cloud, rig).views
    fast = render(cloud, rig, normals_method="grid").views
    assert min(psnr(view, reference) for view, reference in zip(fast, exact, strict=True)) >= 45


def test_grid_normals_of_a_plane_with_holes() -> None:
    generator = np.random.default_rng(0)
    row, column = np.divmod(np.arange(336 * 336), 336)
    points = np.stack((column * 0.001, row * 0.001, 0.5 + column * 0.0005), axis=1)
    kept = np.flatnonzero(generator.random(336 * 336) < 0.6)
    normals = grid_normals(points[kept], kept)
    assert_parallel(normals, np.array([-1.0, 0.0, 2.0]) / np.sqrt(5), 1e-2)


def test_lonely_points_of_a_grid_get_the_default() -> None:
    points = np.array([[0.0, 0.0, 1.0], [0.1, 0.0, 1.0], [0.1, 0.1, 1.5]])
    np.testing.assert_array_equal(grid_normals(points, np.array([0, 30_000, 60_000])), [[0, 0, 1]] * 3)


@pytest.mark.parametrize("scales", [(1, 1, 1), (1, 0.9, 0.03), (1, 1, 1e-4), (1, 0.5, 0), (1, 1e-2, 1e-3)])
def test_smallest_direction_agrees_with_lapack(scales: tuple[float, float, float]) -> None:
    generator = np.random.default_rng(1)
    factors = generator.normal(size=(2000, 5, 3)) * scales @ np.linalg.qr(generator.normal(size=(2000, 3, 3)))[0]
    matrices = factors.transpose(0, 2, 1) @ factors
    values, vectors = np.linalg.eigh(matrices)
    entries = [matrices[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    directions = smallest_direction(*entries)
    reached = np.einsum("ni,nij,nj->n", directions, matrices, directions)
    assert ((reached - values[:, 0]) / values[:, 2]).max() < 1e-9
    apart = values[:, 1] - values[:, 0] > 1e-3 * values[:, 2]
    assert_parallel(directions[apart], vectors[apart, :, 0], 1e-3)


def test_smallest_direction_of_degenerate_matrices() -> None:
    line = smallest_direction(*(np.array([value]) for value in (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)))
    np.testing.assert_allclose([line[0, 0], np.linalg.norm(line)], [0, 1], atol=1e-12)
    zero = np.zeros(2)
    np.testing.assert_array_equal(smallest_direction(zero, zero, zero, zero, zero, zero), [[0, 0, 1]] * 2)
