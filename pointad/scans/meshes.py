"""Triangle meshes: triangulates strips, and samples points from a surface."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.scans.no_data import without_no_data
from pointad.scans.scan_file import FEWEST_POINTS, ScanFile, is_finite
from pointad.scans.surface_points import in_pieces, spread_points

logger = logging.getLogger(__name__)

MESH_POINTS = 336 * 336
"""How many points are drawn from a mesh: as many as are rendered."""

_UNUSED = 0.01  # of the vertices; if more have no face, the file is a point cloud with stray faces, not a surface
_REMEDY = "replace the file"


@dataclass(frozen=True)
class Mesh:
    """Vertices and the triangles between them; a point cloud has no triangles."""

    vertices: np.ndarray  # (V, 3) float64
    faces: np.ndarray  # (F, 3) int64
    colors: np.ndarray | None = None  # (V, 3) uint8
    columns: str = ""  # in words: which numbers of the file are coordinates and colours, and which are not used


def scan_from_mesh(mesh: Mesh, count: int, seed: int, path: Path) -> ScanFile:
    """Sample points from a mesh's surface, or take its vertices if it is a point cloud.

    It is a point cloud if it has no faces, if none of its faces has an area, or if more than 1 % of its vertices, and
    at least 100, belong to no face: then the faces are leftovers and the vertices are the scan. This is logged.

    Args:
        mesh: from a file.
        count: how many points are drawn from a surface.
        seed: for drawing the points.
        path: the file, for errors and the log.

    Raises:
        InputError: there are no vertices, a face refers to one that does not exist, or a few vertices have no surface.
    """
    if not len(mesh.vertices):
        raise InputError(path, "holds no points", _REMEDY)
    if not len(mesh.faces):
        return ScanFile(mesh.vertices, mesh.colors, columns=mesh.columns)
    as_points = ScanFile(mesh.vertices, mesh.colors, columns=f"{mesh.columns}; faces are not used")
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise InputError(path, "has faces with vertices that do not exist", _REMEDY)
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces] = True
    unused = len(used) - int(used.sum())
    if unused >= FEWEST_POINTS and unused > _UNUSED * len(used):
        message = "%s: %d of %d vertices have no face; the vertices are read as the points and the faces are ignored"
        logger.warning(message, path, unused, len(used))
        return as_points
    mesh = _without_holes(mesh, path)
    areas = triangle_areas(mesh.vertices, mesh.faces)
    if len(used) >= FEWEST_POINTS and not areas.any():
        logger.warning("%s: its faces have no area; the vertices are read as the points", path)
        return as_points
    if unused:
        logger.warning("%s: %d of %d vertices have no face and are ignored", path, unused, len(used))
    _require_area(areas, path)
    chosen, weights = spread_points(mesh.vertices, mesh.faces, areas, count, seed)
    points, colors = _weighted(mesh, mesh.faces[chosen], weights)
    return ScanFile(points, colors, is_mesh=True, columns=mesh.columns)


def _without_holes(mesh: Mesh, path: Path) -> Mesh:
    """The same mesh with NaN for vertices that are no measurement; how many faces are lost with them is logged."""
    # As pixels of a grid, which may lie at the origin: corners of triangles often do.
    mesh = replace(mesh, vertices=without_no_data(mesh.vertices[:, None], path)[:, 0])
    lost = int((~is_finite(mesh.vertices)[mesh.faces].all(axis=1)).sum())
    if lost:
        message = "%s: %d of %d triangles have a corner that is not finite or no data, and are ignored"
        logger.warning(message, path, lost, len(mesh.faces))
    return mesh


def sample_surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    colors: np.ndarray | None,
    count: int,
    rng: np.random.Generator,
    name: str | Path,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw points uniformly from the surface of a triangle mesh.

    Args:
        vertices: (V, 3) floats; faces with a non-finite vertex are ignored.
        faces: (F, 3) indices of vertices.
        colors: (V, 3) uint8 or None.
        count: how many points.
        rng: the random generator.
        name: of the mesh, for errors.

    Returns:
        Points (count, 3) float64, and their colours (count, 3) uint8 interpolated between the vertices.

    Raises:
        InputError: a face refers to a vertex that does not exist, or no face has an area.
    """
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(name, "has faces with vertices that do not exist", _REMEDY)
    areas = triangle_areas(vertices, faces)
    _require_area(areas, name)
    chosen = rng.choice(len(areas), size=count, p=areas / areas.sum())
    # Uniform on a triangle: reflect the half of the parallelogram that lies outside.
    weights = rng.random((count, 2))
    outside = weights.sum(axis=1) > 1
    weights[outside] = 1 - weights[outside]
    weights = np.column_stack([1 - weights.sum(axis=1), weights])  # (count, 3)
    return _weighted(Mesh(vertices, faces, colors), faces[chosen], weights)


def _require_area(areas: np.ndarray, name: str | Path) -> None:
    if not areas.sum() > 0 or not np.isfinite(areas.sum()):
        raise InputError(name, "is a mesh without area", _REMEDY)


def _weighted(mesh: Mesh, faces: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (N, 3) and their colours from the faces (N, 3) that they lie on, and the weights (N, 3) of the corners."""
    points = np.einsum("nc,nci->ni", weights, mesh.vertices[faces])
    if mesh.colors is None:
        return points, None
    return points, np.rint(np.einsum("nc,nci->ni", weights, mesh.colors[faces])).astype(np.uint8)


def triangle_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Areas (F,) of triangles; 0 for those with a non-finite vertex."""
    areas = in_pieces(lambda some: _areas(vertices[some]), faces)
    if np.isfinite(areas.sum()):
        return areas
    return np.where(is_finite(vertices)[faces].all(axis=1), areas, 0.0)


def _areas(corners: np.ndarray) -> np.ndarray:
    """Areas (F,) of triangles (F, 3 corners, 3)."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def strips(chain: np.ndarray) -> np.ndarray:
    """Triangles (F, 3) int64 from strips concatenated in (N,) int64, each ended by -1."""
    if len(chain) < 3:
        return np.zeros((0, 3), dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(chain, 3)
    return windows[(windows >= 0).all(axis=1)]
