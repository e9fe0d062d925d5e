"""Reads `.ply`, `.obj` and `.stl`: points as they are, meshes by drawing points from their surface."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from pointad.errors import InputError

MESH_POINTS = 336 * 336
"""How many points are drawn from a mesh: as many as are rendered."""

_HEADER_BYTES = 65_536
_REMEDY = "replace the file"


def read_mesh_file(path: Path, mesh_points: int, seed: int) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Read the points of a file without faces, or draw points uniformly from the faces' area.

    Args:
        path: `.ply`, `.obj` or `.stl`.
        mesh_points: how many points are drawn from a mesh.
        seed: of these points.

    Returns:
        Points (N, 3) float64, colours (N, 3) uint8 where there are any, and whether the file holds a mesh.

    Raises:
        InputError: the file is broken, shorter than its header says, or has neither points nor faces with an area.
    """
    import trimesh  # only here: importing it takes long

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if path.suffix.lower() == ".ply":
                _check_ply_header(file.read(_HEADER_BYTES), size, path)
                file.seek(0)
            # From an open file nothing else is read, whatever materials the file names.
            scene = trimesh.load_scene(file, file_type=path.suffix.lower()[1:], process=False, skip_materials=True)
            parts = scene.dump()
    except InputError:
        raise
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", _REMEDY) from error
    except Exception as error:  # the parser raises whatever broken bytes lead it to
        raise InputError(path, f"is not readable as {path.suffix[1:]} ({error})", _REMEDY) from error
    meshes = [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    if meshes:
        # A scene of several meshes is one surface.
        offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
        vertices = np.concatenate([_vertices(mesh, path) for mesh in meshes])
        faces = np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)])
        colors = _joined([_vertex_colors(mesh) for mesh in meshes])
        points, point_colors = sample_surface(vertices, faces, colors, mesh_points, np.random.default_rng(seed), path)
        return points, point_colors, True
    clouds: list[Any] = [part for part in parts if len(getattr(part, "vertices", ()))]
    if not clouds:
        raise InputError(path, "holds no points", _REMEDY)
    points = np.concatenate([_vertices(cloud, path) for cloud in clouds])
    return points, _joined([_point_colors(cloud) for cloud in clouds]), False


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
        vertices: (V, 3) floats; faces with a vertex that is not finite are left out.
        faces: (F, 3) indices of vertices.
        colors: (V, 3) uint8 or None.
        count: how many points.
        rng: draws them.
        name: what errors call the mesh.

    Returns:
        Points (count, 3) float64, and their colours (count, 3) uint8 interpolated between the vertices.

    Raises:
        InputError: a face names a vertex that does not exist, or no face has an area.
    """
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(name, "has faces with vertices that do not exist", _REMEDY)
    corners = vertices[faces]  # (F, 3 corners, 3)
    usable = np.isfinite(corners).all(axis=(1, 2))
    corners, faces = corners[usable], faces[usable]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    if not areas.sum() > 0 or not np.isfinite(areas.sum()):
        raise InputError(name, "is a mesh without area", _REMEDY)
    chosen = rng.choice(len(areas), size=count, p=areas / areas.sum())
    # Uniform on a triangle: reflect the half of the parallelogram that lies outside.
    weights = rng.random((count, 2))
    outside = weights.sum(axis=1) > 1
    weights[outside] = 1 - weights[outside]
    weights = np.column_stack([1 - weights.sum(axis=1), weights])  # (count, 3)
    points = np.einsum("nc,nci->ni", weights, corners[chosen])
    if colors is None:
        return points, None
    return points, np.rint(np.einsum("nc,nci->ni", weights, colors[faces[chosen]])).astype(np.uint8)


def _check_ply_header(beginning: bytes, size: int, path: Path) -> None:
    """Refuse counts that the file cannot hold: every element takes at least a byte."""
    header, end, _ = beginning.partition(b"end_header")
    if not beginning.startswith(b"ply") or not end:
        raise InputError(path, "has no PLY header", _REMEDY)
    for name, count in re.findall(rb"(?m)^\s*element\s+(\S+)\s+(\d+)", header):
        if int(count) > size:
            raise InputError(path, f"promises {int(count)} of {name.decode('latin1')} in {size} bytes", _REMEDY)


def _vertices(part: Any, path: Path) -> np.ndarray:
    vertices = np.asarray(part.vertices, dtype=np.float64)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise InputError(path, f"has vertices of {vertices.shape[-1]} numbers instead of 3", _REMEDY)
    return vertices


def _vertex_colors(mesh: Any) -> np.ndarray | None:
    if getattr(mesh.visual, "kind", None) != "vertex":
        return None
    return _rgb(mesh.visual.vertex_colors, len(mesh.vertices))


def _point_colors(cloud: Any) -> np.ndarray | None:
    return _rgb(getattr(cloud, "colors", None), len(cloud.vertices))


def _rgb(colors: Any, count: int) -> np.ndarray | None:
    if colors is None or np.ndim(colors) != 2 or len(colors) != count or np.shape(colors)[1] < 3:
        return None
    return np.asarray(colors, dtype=np.uint8)[:, :3]


def _joined(colors: list[np.ndarray | None]) -> np.ndarray | None:
    present = [part for part in colors if part is not None]
    return np.concatenate(present) if len(present) == len(colors) else None
