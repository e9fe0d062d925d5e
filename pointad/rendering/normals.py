"""Surface normals from the neighbours of each point; their sign is arbitrary, as the shading does not depend on it."""

import logging

import numpy as np

from pointad.compute.open3d_library import load_open3d
from pointad.compute.searches import without_crowds

logger = logging.getLogger(__name__)


def estimate_normals(points: np.ndarray, radius: float, neighbours: int) -> np.ndarray:
    """Normals as Open3D estimates them: the direction of least spread of the nearest points, itself included.

    Args:
        points: (N, 3) float64.
        radius: neighbours lie within this distance.
        neighbours: at most this many nearest points are used.

    Returns:
        (N, 3) float64 unit vectors; (0, 0, 1) where fewer than three points lie within the radius.

    Raises:
        MemoryError: Open3D is there, but memory does not suffice to load it. SciPy, which takes its place where it is
            missing, rounds otherwise: some pixels of the pictures would differ by a grey level without a word.
    """
    crowds = without_crowds(points, neighbours)
    if crowds is not None:
        kept, stands_for = crowds
        return estimate_normals(points[kept], radius, neighbours)[stands_for]
    try:
        open3d = load_open3d()
    except ImportError as error:
        logger.info("Open3D cannot be loaded (%s); estimating normals with SciPy, which is slower", error)
        return _estimate_normals_scipy(points, radius, neighbours)
    writable = np.require(points, np.float64, ["C", "W"])  # Open3D takes no others, though it only copies them
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(writable))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(radius, neighbours))
    return np.asarray(cloud.normals)


def _estimate_normals_scipy(points: np.ndarray, radius: float, neighbours: int) -> np.ndarray:
    from scipy.spatial import cKDTree

    count = len(points)
    centred = points - points.mean(axis=0)
    distance, index = cKDTree(centred).query(
        centred, k=np.arange(1, min(neighbours, count) + 1), distance_upper_bound=radius
    )
    found = np.isfinite(distance)
    padded = np.append(centred, np.zeros((1, 3)), axis=0)  # missing neighbours have the index N
    amount = found.sum(axis=1)
    normals = np.empty((count, 3))
    for start in range(0, count, 8192):  # bounds the memory of the gathered neighbours
        part = slice(start, start + 8192)
        gathered = padded[index[part]] * found[part, :, None]  # (n, k, 3)
        mean = gathered.sum(axis=1) / amount[part, None]
        offsets = (gathered - mean[:, None]) * found[part, :, None]
        x, y, z = offsets.transpose(2, 0, 1)
        products = [
            np.einsum("nk,nk->n", first, second) for first, second in ((x, x), (y, y), (z, z), (x, y), (x, z), (y, z))
        ]
        normals[part] = smallest_direction(*products)
    normals[amount < 3] = (0.0, 0.0, 1.0)
    return normals


def grid_normals(
    points: np.ndarray, flat_positions: np.ndarray, size: int = 336, window: int = 7, minimum: int = 3
) -> np.ndarray:
    """Fast normals of an organized point cloud: the direction of least spread in a window of its grid.

    Args:
        points: (N, 3) float64.
        flat_positions: (N,) integer, row-major positions of the points in the size x size grid.
        size: side of the grid.
        window: side of the square of neighbours, odd.
        minimum: fewer points in a window give (0, 0, 1).

    Returns:
        (N, 3) float64 unit vectors.
    """
    offsets = points - points.mean(axis=0)
    offsets /= max(float(np.abs(offsets).max()), float(np.finfo(np.float64).tiny))
    x, y, z = offsets.T
    monomials = (np.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z)
    grids = np.zeros((len(monomials), size * size))
    for grid, monomial in zip(grids, monomials, strict=True):
        grid[flat_positions] = monomial
    sums = _window_sums(grids.reshape(-1, size, size), window).reshape(len(monomials), -1)[:, flat_positions]
    count = sums[0]
    x, y, z, xx, yy, zz, xy, xz, yz = sums[1:] / count
    normals = smallest_direction(xx - x * x, yy - y * y, zz - z * z, xy - x * y, xz - x * z, yz - y * z)
    normals[count < minimum] = (0.0, 0.0, 1.0)
    return normals


def _window_sums(grids: np.ndarray, window: int) -> np.ndarray:
    """Sums over the window x window cells around each cell, (C, S, S), from summed-area tables."""
    half = window // 2
    size = grids.shape[1]
    table = np.pad(grids, ((0, 0), (half + 1, half), (half + 1, half))).cumsum(axis=1).cumsum(axis=2)
    rows = table[:, window : window + size] - table[:, :size]
    return rows[:, :, window : window + size] - rows[:, :, :size]


def smallest_direction(
    xx: np.ndarray, yy: np.ndarray, zz: np.ndarray, xy: np.ndarray, xz: np.ndarray, yz: np.ndarray
) -> np.ndarray:
    """Unit eigenvectors (N, 3) of the smallest eigenvalue of symmetric 3 x 3 matrices, given by their entries (N,).

    The eigenvalue comes from the trigonometric solution of the characteristic polynomial, the eigenvector from the
    cross product of two rows that it is orthogonal to. Matrices whose two smaller eigenvalues (nearly) coincide have
    no such rows and are passed to LAPACK. If all directions are equivalent, (0, 0, 1) is returned, as in Open3D.
    """
    mean = (xx + yy + zz) / 3
    xx, yy, zz = xx - mean, yy - mean, zz - mean
    off = xy * xy + xz * xz + yz * yz
    spread = np.sqrt((xx * xx + yy * yy + zz * zz + 2 * off) / 6)
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.clip(determinant / (2 * spread**3), -1, 1)
        smallest = 2 * spread * np.cos(np.arccos(cosine) / 3 + 2 * np.pi / 3)
        a, b, c = xx - smallest, yy - smallest, zz - smallest
        crosses = (
            (xy * yz - xz * b, xz * xy - a * yz, a * b - xy * xy),  # rows 1 and 2
            (xy * c - xz * yz, xz * xz - a * c, a * yz - xy * xz),  # rows 1 and 3
            (b * c - yz * yz, yz * xz - xy * c, xy * yz - b * xz),  # rows 2 and 3
        )
        squares = [x * x + y * y + z * z for x, y, z in crosses]
        direction, square = np.array(crosses[0]), squares[0]
        for other, other_square in zip(crosses[1:], squares[1:], strict=True):
            longer = other_square > square
            for axis in range(3):
                direction[axis] = np.where(longer, other[axis], direction[axis])
            square = np.where(longer, other_square, square)
        direction /= np.sqrt(square)
    result = np.ascontiguousarray(direction.T)
    uncertain = ~(square > (1e-6 * spread * spread) ** 2)  # also where everything is zero
    if uncertain.any():
        rows = ((xx, xy, xz), (xy, yy, yz), (xz, yz, zz))
        matrices = np.array([[entry[uncertain] for entry in row] for row in rows]).transpose(2, 0, 1)
        result[uncertain] = np.linalg.eigh(matrices)[1][:, :, 0]
        result[spread == 0] = (0.0, 0.0, 1.0)
    return result
