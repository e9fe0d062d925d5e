"""Searches for nearest points: in several threads, which an interrupt leaves in order, and where many are equal."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy

CHUNK = 4096  # places a task; an interrupt waits for those in progress
CROWD = 1000  # equal points, beyond which a search takes long: it looks at all of them for each of them


def nearest_in_threads(tree: "scipy.spatial.cKDTree", places: np.ndarray, count: int = 1) -> np.ndarray:
    """The points of a tree that are nearest to each place, as ``tree.query(places, count)[1]``.

    SciPy's own threads (``workers``) go on after an interrupt in memory that the interrupted call has given back, and
    print a traceback of what they find there. Here, a search in progress ends first.

    Args:
        tree: of at least ``count`` points.
        places: (N, D) floating point, finite.
        count: how many points for each place.

    Returns:
        (N,) int64 for one point, (N, count) for several, nearest first.
    """
    starts = range(0, len(places), CHUNK) if len(places) else range(1)

    def search(start: int) -> np.ndarray:
        return np.asarray(tree.query(places[start : start + CHUNK], k=count)[1])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(search, starts)))


def without_crowds(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Points that searches can do with where very many are equal, as each of these needs no more neighbours.

    Args:
        points: (N, D) finite.
        most: how many of more than `CROWD` equal points remain, the first ones; as many as are searched for.

    Returns:
        The indices (K,) of those that remain, ascending, and for each of all (N,) the one of the K that stands for it;
        None if no place has so many.
    """
    crowd = max(CROWD, most)
    ordered = np.sort(points[:, 0])
    if not (ordered[crowd:] == ordered[:-crowd]).any():  # nearly always
        return None
    order = np.lexsort(points.T)  # equal ones in their order
    ordered = points[order]
    is_first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    firsts, place = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    sizes = np.diff(np.append(firsts, len(points)))
    if sizes.max() <= crowd:
        return None
    remains = (np.arange(len(points)) - firsts[place] < most) | (sizes[place] <= crowd)
    kept = np.sort(order[remains])
    stands_for = np.empty(len(points), np.int64)
    stands_for[order] = np.where(remains, order, order[firsts[place]])
    return kept, np.searchsorted(kept, stands_for)
