"""Thins a large cloud to a bounded number of points that cover its surface evenly."""

import numpy as np

from pointad.scans.point_hashes import UPPER, lasting_hashes

CANDIDATES_PER_POINT = 8  # larger clouds are first thinned at random to so many points for each wanted one
CELLS = 10_000  # of the lattice that decides which points are kept; much finer than a thinned cloud
STEPS = 6  # cell sizes that are tried
FILLED = 0.97  # a size that keeps this share of the points that are wanted is good enough


def thin_evenly(points: np.ndarray, most_points: int, seed: int = 0) -> np.ndarray:
    """Choose points, at most one in each cell of a cubic lattice.

    The size of the cells is searched so that nearly as many points remain as are wanted. Which points are kept does not
    depend on their order.

    Args:
        points: (N, 3) floating point, finite.
        most_points: upper bound of the points that are kept.
        seed: of the choice within a cell.

    Returns:
        (M,) int64, strictly increasing indices, M at most `most_points`; all of them when there are no more.
    """
    count = len(points)
    if count <= most_points:
        return np.arange(count)
    hashes = lasting_hashes(points, CELLS, seed)
    order = np.argsort(hashes, kind="stable")
    cells = hashes[order] & UPPER
    is_first = np.concatenate([[True], cells[1:] != cells[:-1]])
    # Others than the first ones of their cells come last: one crowded place must not take all of them.
    candidates = np.concatenate([order[is_first], order[~is_first]])[: CANDIDATES_PER_POINT * most_points]
    offsets = points[candidates] - points.min(axis=0)
    extent = float(offsets.max())
    if extent == 0:
        return np.sort(candidates[:most_points])

    # A surface fills cells in inverse proportion to the square of their size; each try corrects the last one by that.
    cell = extent / np.sqrt(most_points)
    best: np.ndarray | None = None
    for _ in range(STEPS):
        kept = _first_of_each_cell(offsets, cell)
        if len(kept) <= most_points and (best is None or len(kept) > len(best)):
            best = kept
        if FILLED * most_points <= len(kept) <= most_points:
            break
        wanted = (1 + FILLED) / 2 * most_points
        cell = extent * _rounded(cell / extent * float(np.sqrt(len(kept) / wanted)))
    if best is None:
        best = kept[:most_points]  # in random order, as the candidates are
    return np.sort(candidates[best])


def _rounded(size: float) -> float:
    """A near power of 2 ** (1 / 128): counts that differ by a few points, due to rounding, lead to the same size."""
    return float(np.exp2(np.rint(np.log2(size) * 128) / 128))


def _first_of_each_cell(offsets: np.ndarray, cell: float) -> np.ndarray:
    """Ascending indices of the first point in every cell that holds one."""
    lattice = (offsets / cell).astype(np.int64)
    sides = lattice.max(axis=0) + 1
    keys = (lattice[:, 0] * sides[1] + lattice[:, 1]) * sides[2] + lattice[:, 2]
    return np.sort(np.unique(keys, return_index=True)[1])
