"""The result of rendering one scan: its views and the point-to-pixel correspondences."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RenderedSample:
    """Multi-view renderings of one point cloud with point-to-pixel correspondences; V views, N points, S = 336."""

    views: np.ndarray  # (V, S, S) uint8, grey pictures (R = G = B)
    views_gt: np.ndarray  # (V, S, S) uint8, the ground truth drawn from the same directions
    correspondences: np.ndarray  # (V, N, 3) int16: column x, row y (0 .. S - 1), visible (0 or 1)
    nonzero_indices: np.ndarray | None = None  # (N,) int32, flat positions in the S x S grid; None: every point counts
