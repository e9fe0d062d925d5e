"""DBSCAN clustering on grid cells instead of individual points.

A point of a depth scan has thousands of neighbours within the radius; listing them all takes minutes and gigabytes.
If the diagonal of a cell equals the radius, all points in the cell are neighbours of one another: in a cell with enough
points, all are core points of the same cluster, with nothing to count (Gan and Tao 2015, "DBSCAN revisited").
"""

from dataclasses import dataclass

import numpy as np
import scipy

_REACH = 2.5  # cells; neighbours are at most two cells apart along each axis


def cluster_labels(points: np.ndarray, *, radius: float, min_points: int) -> np.ndarray:
    """DBSCAN's labels (N,) int64: clusters are numbered in the order of their first core points, -1 is noise.

    A point with at least `min_points` neighbours within `radius`, itself included, is a core point; core points that
    are neighbours belong together; another point belongs to the first cluster (in the order of the clusters' first
    core points) that has a core point among its neighbours, or to none.

    Args:
        points: (N, 3) finite floats.
        radius: in the points' unit.
        min_points: at least 1.
    """
    labels = np.full(len(points), -1)
    if not len(points):
        return labels
    points = np.asarray(points, dtype=np.float64)
    bound = np.nextafter(radius, np.inf)  # the tree excludes points at exactly the bound
    cells = _cells(points, radius)
    core = cells.counts[cells.cell_of] >= min_points
    undecided = np.flatnonzero(~core)
    tree = scipy.spatial.cKDTree(points, balanced_tree=False, compact_nodes=False)
    distances, neighbours = tree.query(points[undecided], k=range(1, min_points + 1), distance_upper_bound=bound)
    enough = np.isfinite(distances[:, -1])
    core[undecided[enough]] = True
    if not core.any():
        return labels
    component = _connected_cells(points, core, cells, bound)
    labels[core] = _numbered_by_first(component[cells.cell_of[core]])
    # The remaining points have fewer neighbours than `min_points`, so the query found them all.
    labels[undecided[~enough]] = _first_neighbouring_cluster(labels, neighbours[~enough])
    return labels


@dataclass(frozen=True)
class _Cells:
    places: np.ndarray  # (C, 3) int64 grid coordinates
    counts: np.ndarray  # (C,) points in each cell
    cell_of: np.ndarray  # (N,) each point's cell


def _cells(points: np.ndarray, radius: float) -> _Cells:
    # Slightly below radius / sqrt(3), so that rounding never puts two points of a cell further apart than the radius.
    side = radius / np.sqrt(3) * (1 - 1e-9)
    coordinates = np.floor((points - points.min(axis=0)) / side).astype(np.int64)
    # Ranks instead of coordinates keep the keys within 64 bits, however far away a stray point is.
    ranks = [np.unique(axis, return_inverse=True)[1].reshape(-1) for axis in coordinates.T]
    keys = (ranks[0] * (np.max(ranks[1]) + 1) + ranks[1]) * (np.max(ranks[2]) + 1) + ranks[2]
    _, first, cell_of, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    return _Cells(places=coordinates[first], counts=counts, cell_of=cell_of.reshape(-1))


def _connected_cells(points: np.ndarray, core: np.ndarray, cells: _Cells, bound: float) -> np.ndarray:
    """Components (C,) of the cells, joined where two core points of theirs are neighbours."""
    core_points = np.flatnonzero(core)
    core_points = core_points[np.argsort(cells.cell_of[core_points], kind="stable")]
    occupied, starts = np.unique(cells.cell_of[core_points], return_index=True)
    members = dict(zip(occupied.tolist(), np.split(core_points, starts[1:]), strict=True))
    # One core point per cell joins nearly all cells that belong together ...
    pairs = scipy.spatial.cKDTree(points[core_points[starts]]).query_pairs(bound, output_type="ndarray")
    component = _components(occupied[pairs], len(cells.places))
    # ... and those still separate are compared point by point.
    close = occupied[scipy.spatial.cKDTree(cells.places[occupied]).query_pairs(_REACH, p=np.inf, output_type="ndarray")]
    for one, other in close[component[close[:, 0]] != component[close[:, 1]]].tolist():
        if component[one] == component[other]:
            continue
        tree = scipy.spatial.cKDTree(points[members[one]])
        distances, _ = tree.query(points[members[other]], distance_upper_bound=bound)
        if np.isfinite(distances).any():
            component[component == component[other]] = component[one]
    return component


def _components(edges: np.ndarray, count: int) -> np.ndarray:
    graph = scipy.sparse.coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return scipy.sparse.csgraph.connected_components(graph, directed=False)[1]


def _numbered_by_first(values: np.ndarray) -> np.ndarray:
    """Number the distinct values 0, 1, ... in the order of their first appearance."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse.reshape(-1)]


def _first_neighbouring_cluster(labels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """The lowest cluster among the neighbours (n, k) of n points, -1 for none; the index N stands for no neighbour."""
    none = np.iinfo(np.int64).max
    known = np.append(np.where(labels < 0, none, labels), none)
    lowest = known[neighbours].min(axis=1, initial=none)
    return np.where(lowest == none, -1, lowest)
