"""Reads a scan from any common file format, preserving the number and order of its points.

| extension              | content                                                                                    |
|------------------------|--------------------------------------------------------------------------------------------|
| .pcd                   | ASCII, binary or compressed; fields x y z, optional colours; with a grid: organized         |
| .ply, .obj             | points, or, with faces, a mesh whose surface is sampled                                    |
| .stl                   | a mesh, whose surface is sampled                                                           |
| .xyz, .txt, .csv, .asc | one point per row, x y z and optional r g b; a header line may name the columns            |
| .tsv .xyzrgb .xyzn .xyzi | the same                                                                                 |
| .pts                   | the same after a line with the number of points; x y z, optional intensity, optional r g b |
| .npy                   | (N, 3), or (H, W, 3) if organized, or channels first; with 6 columns: x y z r g b          |
| .npz                   | the same, in the array named points or xyz or the only array; optional colors or rgb       |
| .tiff, .tif            | organized, (H, W, 3), three planes or three pages                                          |

Colours are 0 to 1, 0 to 255 or 16-bit. Non-finite points, points with a no-data value and pixels with z == 0 are
holes. docs/formats.md describes all dialects.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import as_path, regular_file_size
from pointad.scans.array_scan import read_npy_scan, read_npz_scan
from pointad.scans.coarseness import warn_of_coarse_coordinates
from pointad.scans.meshes import MESH_POINTS, Mesh, scan_from_mesh
from pointad.scans.no_data import warn_of_lone_heights, without_no_data
from pointad.scans.obj import read_obj
from pointad.scans.other_formats import check_beginning, unsupported_extension
from pointad.scans.pcd import read_pcd_scan
from pointad.scans.pixel_coordinates import warn_of_pixels
from pointad.scans.ply import read_ply
from pointad.scans.sample_axes import tell_level
from pointad.scans.scan_file import MOST_POINTS, ScanFile, is_finite
from pointad.scans.stl import read_stl
from pointad.scans.text_scan import read_text_scan
from pointad.scans.tiff import read_tiff_scan

logger = logging.getLogger(__name__)


def read_scan(path: str | Path, *, mesh_points: int = MESH_POINTS, seed: int = 0) -> ScanFile:
    """Read a scan; the file extension determines the format.

    Args:
        path: see the table at the top of this module.
        mesh_points: how many points are drawn from a mesh, uniformly over its area.
        seed: for drawing the points from a mesh.

    Returns:
        All points of the file, in its order and unit; the number of non-finite points is logged.

    Raises:
        InputError: the format is unknown, or the file is missing, broken or truncated, or holds more than ten million
            points or none that is usable.
    """
    path = as_path(path, "path of a scan")
    suffix = path.suffix.lower()
    regular_file_size(path)  # the name of a folder that is missing has no extension
    if suffix not in SUFFIXES:
        raise unsupported_extension(path, SUFFIXES)
    check_beginning(path, SUFFIXES)
    with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and numbers too large become holes
        if suffix in _MESH_READERS:
            mesh = _MESH_READERS[suffix](path)
            scan = scan_from_mesh(mesh, mesh_points, seed, path)
            stored = mesh.vertices
        else:
            scan = _READERS[suffix](path)
            stored = scan.points
    total = scan.points.size // 3
    if total > MOST_POINTS:
        raise InputError(path, f"holds {total} points", f"give a scan with at most {MOST_POINTS}")
    tell_not_finite(scan.points, path)
    scan = replace(scan, points=without_no_data(scan.points, path))
    present = scan.present
    if scan.is_organized:
        tell_level(scan.points, present, path)
    if not present.any():
        raise InputError(path, f"has no usable point among {total}", "give a file with points")
    if scan.is_mesh:
        warn_of_pixels(stored, is_finite(stored), path)
    else:
        warn_of_lone_heights(scan.points, present, path)
        warn_of_pixels(scan.points, present, path)
    warn_of_coarse_coordinates(stored if scan.is_mesh else scan.points, path, is_mesh=scan.is_mesh)
    return scan


def tell_not_finite(points: np.ndarray, path: Path) -> None:
    """Log how many of the points (..., 3) of a file have a coordinate that is not finite."""
    present = is_finite(points)
    if not present.all():
        message = "%s: %d of %d points are not finite and are ignored"
        logger.warning(message, path, present.size - int(present.sum()), present.size)


def _read_tiff(path: Path) -> ScanFile:
    xyz, said = read_tiff_scan(path)
    return ScanFile(xyz.astype(np.float64), columns=said)


_MESH_READERS: dict[str, Callable[[Path], Mesh]] = {".ply": read_ply, ".obj": read_obj, ".stl": read_stl}
_READERS: dict[str, Callable[[Path], ScanFile]] = {
    ".pcd": read_pcd_scan,
    **dict.fromkeys((".xyz", ".txt", ".csv", ".tsv", ".asc", ".pts", ".xyzrgb", ".xyzn", ".xyzi"), read_text_scan),
    ".npy": read_npy_scan,
    ".npz": read_npz_scan,
    ".tiff": _read_tiff,
    ".tif": _read_tiff,
}
SUFFIXES = tuple(sorted((*_READERS, *_MESH_READERS)))
"""The file extensions that `read_scan` supports."""
