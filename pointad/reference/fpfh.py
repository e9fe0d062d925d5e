"""Fast point feature histograms: how the surface bends around a point, whatever its place and pose.

Rusu, Blodow and Beetz, "Fast Point Feature Histograms (FPFH) for 3D Registration", ICRA 2009. Several sizes of
neighbourhood share one search and one table of angles, which Open3D's function, one size a call, does not offer.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from pointad.compute.searches import nearest_in_threads
from pointad.rendering.normals import smallest_direction

ANGLES = 3
BINS = 11  # an angle
LENGTH = ANGLES * BINS
NORMAL_NEIGHBOURS = 30
CHUNK = 1024  # points whose pairs are calculated together, so that they stay in the processor's caches
THREADS = 2
TOTAL = 100.0  # of a histogram, as in the point cloud library


def fpfh(
    points: np.ndarray, normals: np.ndarray, sizes: Sequence[int], indices: np.ndarray, *, oriented: bool = True
) -> np.ndarray:
    """Histograms of every point for several sizes of neighbourhood.

    Args:
        points: (N, 3) floating point.
        normals: (N, 3) unit vectors.
        sizes: ascending numbers of neighbours, the point itself not counted.
        indices: (N, K) each point's nearest points by distance, itself first; K is more than the greatest size.
        oriented: whether the normals all point out of the object. If not, their signs do not matter: each point takes
            the side from which its neighbourhood looks convex, and its neighbours' normals turn to that side. Dents and
            bumps of one shape then have the same histogram.

    Returns:
        (N, sizes, 33) float32; each of the three histograms of 11 bins adds up to 200: 100 of the point itself, and 100
        of the mean of its neighbours', weighted by the inverse of the squared distance.
    """
    count = len(points)
    neighbours = indices[:, 1 : sizes[-1] + 1]
    squared, bins = _pair_bins(points.astype(np.float32), normals.astype(np.float32), neighbours, oriented)
    found = np.empty((count, len(sizes), LENGTH), np.float32)
    simple = np.zeros((count, LENGTH), np.float32)
    begun = 0
    rows = np.arange(count, dtype=np.int64)[:, None] * LENGTH
    for number, size in enumerate(sizes):
        for angle in range(ANGLES):  # what a smaller size has counted is counted on
            flat = (rows + bins[angle, :, begun:size]).ravel()
            simple += np.bincount(flat, minlength=count * LENGTH).reshape(count, LENGTH)
        begun = size
        own = simple * np.float32(TOTAL / size)
        weights = 1 / squared[:, :size]
        weights /= weights.sum(axis=1, keepdims=True)
        starts = np.arange(0, count * size + 1, size)
        mean = sparse.csr_matrix((weights.ravel(), neighbours[:, :size].ravel(), starts), shape=(count, count)) @ own
        found[:, number] = own + mean
    return found


def _pair_bins(
    points: np.ndarray, normals: np.ndarray, neighbours: np.ndarray, oriented: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (N, K), and the bins (3, N, K) int16 of the three angles, of the three histograms in a row."""
    count, size = neighbours.shape
    squared = np.empty((count, size), np.float32)
    bins = np.empty((ANGLES, count, size), np.int16)

    def fill(start: int) -> None:
        part = slice(start, start + CHUNK)
        squared[part], bins[:, part] = _chunk_bins(points, normals, neighbours[part], part, oriented)

    with ThreadPoolExecutor(THREADS) as pool:  # NumPy lets them work at once
        list(pool.map(fill, range(0, count, CHUNK)))
    return squared, bins


def _chunk_bins(
    points: np.ndarray, normals: np.ndarray, neighbours: np.ndarray, part: slice, oriented: bool
) -> tuple[np.ndarray, np.ndarray]:
    x, y, z = (axis[neighbours] - axis[part, None] for axis in points.T)
    other_x, other_y, other_z = (axis[neighbours] for axis in normals.T)
    own_x, own_y, own_z = (axis[part, None] for axis in normals.T)
    squared = np.maximum(x * x + y * y + z * z, np.finfo(np.float32).tiny)
    inverse = 1 / np.sqrt(squared)
    x, y, z = x * inverse, y * inverse, z * inverse
    along_own = own_x * x + own_y * y + own_z * z
    along_other = other_x * x + other_y * y + other_z * z
    agreement = own_x * other_x + own_y * other_y + own_z * other_z
    # v = line x normal, w = normal x v; written out in scalar products, so that no frame is ever built:
    # v . n2 = (line x n1) . n2, and w . n2 = line . n2 - (n1 . line)(n1 . n2), over the length of v. Where the points
    # change places, the line turns around too, and the triple product keeps its sign twice over.
    across = (y * own_z - z * own_y) * other_x + (z * own_x - x * own_z) * other_y + (x * own_y - y * own_x) * other_z
    if not oriented:
        own_sign = np.where(along_own.sum(axis=1, keepdims=True) > 0, np.float32(-1), np.float32(1))
        same_side = np.where(agreement < 0, np.float32(-1), np.float32(1))
        along_own *= own_sign
        along_other *= own_sign * same_side
        agreement *= same_side
        across *= same_side
    # The frame stands on the point whose normal is nearer to the connecting line.
    swapped = np.abs(along_own) < np.abs(along_other)
    third = np.where(swapped, -along_other, along_own)
    line_on_second = np.where(swapped, -along_own, along_other)
    inverse = 1 / np.sqrt(np.maximum(1 - third * third, np.finfo(np.float32).tiny))
    second = np.clip(across * inverse, -1, 1)
    first = np.arctan2((line_on_second - third * agreement) * inverse, agreement)
    parts = (first * np.float32(1 / np.pi), second, third)
    bins = np.stack([np.clip((one + 1) * np.float32(BINS / 2), 0, BINS - 1).astype(np.int16) for one in parts])
    return squared, bins + (np.arange(ANGLES, dtype=np.int16) * BINS)[:, None, None]


def surface_normals(points: np.ndarray, indices: np.ndarray, viewpoint: np.ndarray | None) -> np.ndarray:
    """Directions of least spread around every point.

    Args:
        points: (N, 3) floating point.
        indices: (N, K) each point's nearest points, itself first; the first 30 count.
        viewpoint: (3,) where the normals point to; None: their signs are arbitrary.

    Returns:
        (N, 3) unit vectors, float64.
    """
    near = points[indices[:, :NORMAL_NEIGHBOURS]].astype(np.float64)
    near -= near.mean(axis=1, keepdims=True)
    x, y, z = near.transpose(2, 0, 1)
    products = [np.einsum("nk,nk->n", a, b) for a, b in ((x, x), (y, y), (z, z), (x, y), (x, z), (y, z))]
    normals = smallest_direction(*products)
    if viewpoint is not None:
        normals[np.einsum("ni,ni->n", normals, viewpoint - points) < 0] *= -1
    return normals


def nearest_points(points: np.ndarray, count: int) -> np.ndarray:
    """(N, count) int64, each point's nearest points, itself first; count is at most N."""
    return nearest_in_threads(cKDTree(points), points, count)
