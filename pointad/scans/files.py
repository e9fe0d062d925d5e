"""Reads a scan from any common file format, keeping the file's points, their number and their order.

| ending                 | content                                                                                    |
|------------------------|--------------------------------------------------------------------------------------------|
| .pcd                   | ascii, binary or compressed; fields x y z, perhaps rgb(a)                                  |
| .ply, .obj             | points; with faces: a mesh, whose surface is sampled                                       |
| .stl                   | a mesh, whose surface is sampled                                                           |
| .xyz, .txt, .csv, .asc | one point a row, x y z and perhaps r g b; spaces, tabs, commas or semicolons in between     |
| .pts                   | the same after a line with the number of points; x y z, perhaps intensity, perhaps r g b   |
| .npy                   | (N, 3) or, organized, (H, W, 3) numbers; with 6 columns x y z r g b                        |
| .npz                   | the same under the name points, xyz or the only one; perhaps colors or rgb                 |
| .tiff, .tif            | organized, (H, W, 3) or three planes                                                       |

Colours are 0 to 255, or 0 to 1. Points that are not finite, and pixels with z == 0, are holes.
"""

import logging
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from pointad.errors import InputError
from pointad.files.npy_files import read_npy, read_npy_stream
from pointad.scans.meshes import MESH_POINTS, read_mesh_file
from pointad.scans.pcd import read_pcd
from pointad.scans.point_cloud import OrganizedScan, PointCloud
from pointad.scans.text import read_rows
from pointad.scans.tiff import LARGEST_SCAN, read_xyz_tiff

logger = logging.getLogger(__name__)

_POINT_NAMES = ("points", "xyz")
_COLOR_NAMES = ("colors", "rgb")
_REMEDY = "give a file with points"


@dataclass(frozen=True)
class ScanFile:
    """What a file holds, point by point as it stands there."""

    points: np.ndarray  # (N, 3), or (H, W, 3) for organized scans; float64, perhaps with values that are not finite
    colors: np.ndarray | None = None  # the same shape, uint8
    is_mesh: bool = False  # the points were drawn from a mesh's surface and are no points of the file

    @property
    def is_organized(self) -> bool:
        """Whether the points lie on a pixel grid."""
        return self.points.ndim == 3

    @property
    def present(self) -> np.ndarray:
        """Flags (N,) or (H, W) of the points that are finite and, in an organized scan, no holes."""
        finite = np.isfinite(self.points).all(axis=-1)
        return finite & (self.points[..., 2] != 0) if self.is_organized else finite

    def to_scan(self) -> OrganizedScan | PointCloud:
        """The scan for the rest of the pipeline: holes are zeros in an organized scan and left out of a cloud."""
        if self.is_organized:
            xyz = np.where(self.present[..., None], self.points, 0).astype(np.float32)
            return OrganizedScan(xyz=xyz, rgb=self.colors)
        colors = None if self.colors is None else self.colors[self.present]
        return PointCloud(points=self.points[self.present], colors=colors)


def read_scan(path: str | Path, *, mesh_points: int = MESH_POINTS, seed: int = 0) -> ScanFile:
    """Read a scan; the ending of the name says which format it has.

    Args:
        path: see the table at the top of this module.
        mesh_points: how many points are drawn from a mesh, uniformly over its area.
        seed: of the points drawn from a mesh.

    Returns:
        The points in the file's unit, order and number; how many are not finite is logged.

    Raises:
        InputError: the format is unknown, the file is missing, broken or shorter than it says, or no point is finite.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(path, f"has the unknown ending {suffix!r}", f"give one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(path, "is a folder" if path.is_dir() else "does not exist", "check the path")
    if suffix in _MESH_SUFFIXES:
        points, colors, is_mesh = read_mesh_file(path, mesh_points, seed)
        scan = ScanFile(points, colors, is_mesh)
    else:
        scan = _READERS[suffix](path)
    kept = int(scan.present.sum())
    if not kept:
        raise InputError(path, f"holds no usable point among {scan.present.size}", _REMEDY)
    dropped = int((~np.isfinite(scan.points).all(axis=-1)).sum())
    if dropped:
        logger.warning("%s: %d of %d points are not finite and take no part", path, dropped, scan.present.size)
    return scan


def _read_pcd(path: Path) -> ScanFile:
    cloud = read_pcd(path)
    return ScanFile(cloud.points, cloud.colors)


def _read_text(path: Path) -> ScanFile:
    rows = read_rows(path)
    return ScanFile(rows[:, :3], _colors(rows[:, 3:6]))


def _read_pts(path: Path) -> ScanFile:
    rows = read_rows(path)
    # x y z intensity r g b, or x y z r g b
    return ScanFile(rows[:, :3], _colors(rows[:, 4:7] if rows.shape[1] >= 7 else rows[:, 3:6]))


def _read_npy(path: Path) -> ScanFile:
    return _from_array(path, read_npy(path), None)


def _read_npz(path: Path) -> ScanFile:
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                member.filename.removesuffix(".npy"): _read_member(archive, member, path)
                for member in archive.infolist()
                if Path(member.filename).stem in (*_POINT_NAMES, *_COLOR_NAMES) or len(archive.infolist()) == 1
            }
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(path, f"is not a readable npz file ({error})", "replace the file") from error
    points = next((arrays[name] for name in _POINT_NAMES if name in arrays), None)
    if points is None and len(arrays) == 1:
        points = next(iter(arrays.values()))
    if points is None:
        raise InputError(path, "has no array named points or xyz", _REMEDY)
    return _from_array(path, points, next((arrays[name] for name in _COLOR_NAMES if name in arrays), None))


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
    if member.file_size > LARGEST_SCAN * 8:
        raise InputError(path, f"promises {member.file_size} bytes of {member.filename}", "give a smaller scan")
    with archive.open(member) as file:
        return read_npy_stream(cast(BinaryIO, file), f"{path}:{member.filename}", member.file_size)


def _read_tiff(path: Path) -> ScanFile:
    return ScanFile(read_xyz_tiff(path).astype(np.float64))


def _from_array(path: Path, values: np.ndarray, colors: np.ndarray | None) -> ScanFile:
    if values.ndim not in (2, 3) or values.shape[-1] < 3:
        raise InputError(path, f"has shape {values.shape} instead of (points, 3) or (height, width, 3)", _REMEDY)
    if colors is not None and colors.shape != (*values.shape[:-1], 3):
        raise InputError(path, f"has colours of shape {colors.shape} for points of shape {values.shape}", _REMEDY)
    given = values[..., 3:6] if colors is None else colors
    return ScanFile(values[..., :3].astype(np.float64), _colors(given))


def _colors(columns: np.ndarray) -> np.ndarray | None:
    """Take three further columns for colours when they can be nothing else: 0 to 1, or whole numbers up to 255."""
    if columns.shape[-1] != 3 or not columns.size or not np.isfinite(columns).all() or columns.min() < 0:
        return None
    if columns.dtype == np.uint8:
        return columns
    if columns.max() <= 1:
        return np.rint(columns * 255).astype(np.uint8)
    if columns.max() <= 255 and (columns == np.rint(columns)).all():
        return columns.astype(np.uint8)
    return None


_MESH_SUFFIXES = (".ply", ".obj", ".stl")
_READERS: dict[str, Callable[[Path], ScanFile]] = {
    ".pcd": _read_pcd,
    ".xyz": _read_text,
    ".txt": _read_text,
    ".csv": _read_text,
    ".asc": _read_text,
    ".pts": _read_pts,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".tiff": _read_tiff,
    ".tif": _read_tiff,
}
SUFFIXES = tuple(sorted((*_READERS, *_MESH_SUFFIXES)))
"""The endings that `read_scan` knows."""
