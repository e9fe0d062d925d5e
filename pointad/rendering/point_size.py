"""A point size for clouds that no rig names one for, from how far apart their points lie in the picture."""

import math

import numpy as np
from scipy.spatial import cKDTree

from pointad.rendering.camera import focal_length, look_at

_SPACINGS_PER_SIZE = 3.0  # what the sizes of the MVTec 3D-AD classes amount to; it leaves slanted surfaces closed too
_NEIGHBOURS = 12
_SAMPLE = 2000
_SMALLEST = 5


def automatic_point_size(points: np.ndarray, window: int) -> int:
    """The point size in pixels that draws the surface of a cloud without gaps.

    The size is three times the median spacing of the points, as seen in the window at the distance of the cloud's
    centre, rounded up, at least 5 and at most a sixteenth of the window. The spacing at a point is the side of the
    square that each of its 12 nearest neighbours would have to itself on the disc that holds them.

    Args:
        points: (3, N) float64, N at least 2.
        window: width and height of the window in pixels.
    """
    count = points.shape[1]
    neighbours = min(_NEIGHBOURS, count - 1)
    tree = cKDTree(points.T, balanced_tree=False, compact_nodes=False)
    sample = points.T[:: max(1, count // _SAMPLE)]
    radius, _ = tree.query(sample, k=[neighbours + 1])
    spacing = float(np.median(radius)) * math.sqrt(math.pi / neighbours)
    pixels = spacing * focal_length(window) / look_at(points).distance
    return int(np.clip(math.ceil(_SPACINGS_PER_SIZE * pixels), _SMALLEST, window // 16))
