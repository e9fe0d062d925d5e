"""The pose in which a closed shape is looked at, whatever pose it was scanned in."""

import numpy as np

SYMMETRIC_SKEWNESS = 3.0
"""Standard deviations of the skewness of random points, sqrt(6 / N), within which an axis has no side to point to."""


def principal_axes(points: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) that lays the longest spread of centred points (N, 3) along x and the shortest along z.

    The first two axes point to the side where the points reach farther (the third moment is positive), so that the
    same shape in another pose is turned to the same place. Where a shape is symmetric, noise would decide: there they
    point along the coordinate axes that they are closest to, so that at least a scan in the same pose is seen alike.
    """
    centred = points - points.mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(points))
    axes, deviations = vectors.T[::-1], np.sqrt(np.maximum(variances[::-1], 0))
    along = centred @ axes.T
    third_moments = np.einsum("ni,ni,ni->i", along, along, along) / len(points)
    closest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)[:, 0]
    chance = SYMMETRIC_SKEWNESS * np.sqrt(6 / len(points))
    is_symmetric = np.abs(third_moments) <= chance * deviations**3
    axes = axes * np.where(np.where(is_symmetric, closest, third_moments) < 0, -1.0, 1.0)[:, None]
    if np.linalg.det(axes) < 0:
        axes[2] = -axes[2]
    return axes
