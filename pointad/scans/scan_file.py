"""The content of a scan file, before any processing."""

from dataclasses import dataclass

import numpy as np

from pointad.scans.viewing_axes import measured_pixels

FEWEST_POINTS = 100
"""A scan with fewer points cannot be inspected."""

MOST_POINTS = 10_000_000
"""Files with more points or pixels are refused before they are read."""

MOST_COLUMNS = 12
"""Of a cloud without names: x y z, colours, normals and a few more. Wider tables and arrays are maps of heights."""


def is_finite(points: np.ndarray) -> np.ndarray:
    """Flags (...) of points (..., 3) whose coordinates are all finite."""
    finite = np.isfinite(points)
    if finite.all():  # the usual case, and faster to check than a reduction over the last axis
        return np.ones(points.shape[:-1], dtype=bool)
    return finite[..., 0] & finite[..., 1] & finite[..., 2]


@dataclass(frozen=True)
class ScanFile:
    """The points of a file, exactly as stored."""

    points: np.ndarray  # (N, 3), or (H, W, 3) for organized scans; float64, perhaps with values that are not finite
    colors: np.ndarray | None = None  # the same shape, uint8
    is_mesh: bool = False  # the points were sampled from a mesh's surface and are not stored in the file
    columns: str = ""  # in words: which numbers of the file are coordinates and colours, and which are not used
    alike: str | None = None  # the same without names that may differ from file to file, where there are any

    @property
    def is_organized(self) -> bool:
        """Whether the points lie on a pixel grid."""
        return self.points.ndim == 3

    @property
    def present(self) -> np.ndarray:
        """Flags (N,) or (H, W) of the points that are finite and, in an organized scan, not holes."""
        return measured_pixels(self.points)[0] if self.is_organized else is_finite(self.points)

    @property
    def manner(self) -> str:
        """How the file was read, without counts: the same for all files of one kind."""
        kind = "surface of a mesh" if self.is_mesh else "pixel grid" if self.is_organized else "cloud"
        said = self.columns if self.alike is None else self.alike
        return f"{said}; {kind}" if said else kind

    @property
    def reading(self) -> str:
        """How the file was read, in words, such as "x, y, z: columns 1, 2, 3 of 4; not used: 4; 20000 points"."""
        total, present = self.points.size // 3, int(self.present.sum())
        if self.is_mesh:
            content = f"{total} points drawn from a surface"
        elif self.is_organized:
            content = "{} rows of {} pixels, {} of them measured".format(*self.points.shape[:2], present)
        else:
            content = f"{total} points" + (f", {present} of them measured" if present < total else "")
        return f"{self.columns}; {content}" if self.columns else content
