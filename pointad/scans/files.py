"""Reads a scan from any common file format, keeping the file's points, their number and their order.

| ending                 | content                                                                                    |
|------------------------|--------------------------------------------------------------------------------------------|
| .pcd                   | ascii, binary or compressed; fields x y z, perhaps colours; with a grid: organized          |
| .ply, .obj             | points; with faces: a mesh, whose surface is sampled                                       |
| .stl                   | a mesh, whose surface is sampled                                                           |
| .xyz, .txt, .csv, .asc | one point a row, x y z and perhaps r g b; columns by name where a line names them          |
| .pts                   | the same after a line with the number of points; x y z, perhaps intensity, perhaps r g b   |
| .npy                   | (N, 3) or, organized, (H, W, 3) numbers, or planes first; with 6 columns x y z r g b       |
| .npz                   | the same under the name points, xyz or the only one; perhaps colors or rgb                 |
| .tiff, .tif            | organized, (H, W, 3), three planes or three pages                                          |

Colours are 0 to 1, 0 to 255 or 16-bit. Points that are not finite or have a number that stands for no data, and pixels
with z == 0, are holes. docs/formats.md has all dialects.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.regular import regular_file_size
from pointad.scans.array_scan import read_npy_scan, read_npz_scan
from pointad.scans.meshes import MESH_POINTS, Mesh, scan_from_mesh
from pointad.scans.no_data import without_no_data
from pointad.scans.obj import read_obj
from pointad.scans.pcd import read_pcd_scan
from pointad.scans.ply import read_ply
from pointad.scans.scan_file import MOST_POINTS, ScanFile, is_finite
from pointad.scans.stl import read_stl
from pointad.scans.text_scan import read_text_scan
from pointad.scans.tiff import read_xyz_tiff

logger = logging.getLogger(__name__)


def read_scan(path: str | Path, *, mesh_points: int = MESH_POINTS, seed: int = 0) -> ScanFile:
    """Read a scan; the ending of the name says which format it has.

    Args:
        path: see the table at the top of this module.
        mesh_points: how many points are drawn from a mesh, uniformly over its area.
        seed: of the points drawn from a mesh.

    Returns:
        The points in the file's unit, order and number; how many are not finite is logged.

    Raises:
        InputError: the format is unknown, the file is missing, broken or shorter than it says, holds more than ten
            million points, or none that is finite.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(path, f"has the unknown ending {suffix!r}", f"give one of {', '.join(SUFFIXES)}")
    regular_file_size(path)
    if suffix in _MESH_READERS:
        scan = scan_from_mesh(_MESH_READERS[suffix](path), mesh_points, seed, path)
    else:
        scan = _READERS[suffix](path)
    total = scan.points.size // 3
    if total > MOST_POINTS:
        raise InputError(path, f"holds {total} points", f"give a scan with at most {MOST_POINTS}")
    dropped = total - int(is_finite(scan.points).sum())
    if dropped:
        logger.warning("%s: %d of %d points are not finite and take no part", path, dropped, total)
    scan = replace(scan, points=without_no_data(scan.points, path))
    if not scan.present.any():
        raise InputError(path, f"holds no usable point among {total}", "give a file with points")
    return scan


def _read_tiff(path: Path) -> ScanFile:
    return ScanFile(read_xyz_tiff(path).astype(np.float64))


_MESH_READERS: dict[str, Callable[[Path], Mesh]] = {".ply": read_ply, ".obj": read_obj, ".stl": read_stl}
_READERS: dict[str, Callable[[Path], ScanFile]] = {
    ".pcd": read_pcd_scan,
    ".xyz": read_text_scan,
    ".txt": read_text_scan,
    ".csv": read_text_scan,
    ".asc": read_text_scan,
    ".pts": read_text_scan,
    ".npy": read_npy_scan,
    ".npz": read_npz_scan,
    ".tiff": _read_tiff,
    ".tif": _read_tiff,
}
SUFFIXES = tuple(sorted((*_READERS, *_MESH_READERS)))
"""The endings that `read_scan` knows."""
