"""The forms in which a scan enters the pipeline, before anything is rendered."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointad.scans.reading_options import AS_PUBLISHED, ReadingOptions


@dataclass(frozen=True)
class OrganizedScan:
    """A scan on a pixel grid, as captured by depth cameras: one point per pixel."""

    xyz: np.ndarray  # (H, W, 3) float32, in the data set's unit; points with z == 0 are holes
    rgb: np.ndarray | None = None  # (H, W, 3) uint8
    mask: np.ndarray | None = None  # (H, W) uint8, above 0 is anomalous


@dataclass(frozen=True)
class PointCloud:
    """The points that are rendered; every per-point array downstream has their order."""

    points: np.ndarray  # (N, 3) float64, in the data set's unit
    labels: np.ndarray | None = None  # (N,) bool, True is anomalous
    colors: np.ndarray | None = None  # (N, 3) uint8
    nonzero_indices: np.ndarray | None = None  # (N,) int32, flat positions in the 336 x 336 grid; None: not organized


@dataclass(frozen=True)
class RawSample:
    """Where the files of one sample lie in a raw archive."""

    dataset_name: str
    class_name: str
    species: str  # "good" or the kind of defect
    identifier: str
    label: int  # 1 is anomalous
    scan_path: Path
    rgb_path: Path | None = None
    mask_path: Path | None = None  # a picture, or the points with their labels
    reading: ReadingOptions = AS_PUBLISHED
    for_reference: bool = False  # good and outside the test split: other scans are compared with it

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"{self.class_name}/{self.species}/{self.identifier}"


@dataclass(frozen=True)
class PreparedSample:
    """One raw sample, ready to be rendered; the files on disk are unchanged."""

    point_cloud: PointCloud
    rgb: np.ndarray | None = None  # (H, W, 3) uint8
    mask: np.ndarray | None = None  # (H, W) uint8, 0 or 255; or (N,) bool, one label per point
    xyz: np.ndarray | None = None  # (H, W, 3) float32, the organized scan after cleaning
    resized: tuple[Path, ...] = ()  # the picture and the mask, where their files have another size than the scan
