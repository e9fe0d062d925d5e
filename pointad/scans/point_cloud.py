"""The two forms in which a scan enters the pipeline, before anything is rendered."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OrganizedScan:
    """A scan on a pixel grid, as depth cameras give it: one point a pixel."""

    xyz: np.ndarray  # (H, W, 3) float32, in the data set's unit; points with z == 0 are holes
    rgb: np.ndarray | None = None  # (H, W, 3) uint8
    mask: np.ndarray | None = None  # (H, W) uint8, above 0 is anomalous


@dataclass(frozen=True)
class PointCloud:
    """The points that are rendered, in the order that every per-point array downstream follows."""

    points: np.ndarray  # (N, 3) float64, in the data set's unit
    labels: np.ndarray | None = None  # (N,) bool, True is anomalous
    colors: np.ndarray | None = None  # (N, 3) uint8
    nonzero_indices: np.ndarray | None = None  # (N,) int32, flat positions in the 336 x 336 grid; None: not organized
