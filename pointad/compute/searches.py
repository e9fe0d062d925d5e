"""Searches for nearest points in several threads, which an interrupt leaves in order."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.spatial import cKDTree

CHUNK = 4096  # places a task; an interrupt waits for those in progress


def nearest_in_threads(tree: cKDTree, places: np.ndarray, count: int = 1) -> np.ndarray:
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
