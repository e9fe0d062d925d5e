"""Anomalous regions of a mask, to which AU-PRO gives equal weight whatever their size."""

import numpy as np
import scipy

from pointad.compute.searches import without_crowds

REGION_NEIGHBOURS = 128
"""k of the graph that connects the points of a cloud: if it had 8,000 points or more before it was filled up,
enough to bridge the gaps between the rows of interpolated points. With 16, one defect was up to 14 regions."""

_FIRST_NEIGHBOURS = 16  # often join all anomalous points already, so that no others need to be found
_EIGHT_NEIGHBOURS = np.ones((3, 3), np.uint8)


def region_weights(mask: np.ndarray) -> np.ndarray:
    """Weight every anomalous pixel by its share of its region.

    Regions are connected components with 8-connectivity (pixels also touch at corners).

    Args:
        mask: (H, W) bool.

    Returns:
        (K,) float64 for the K anomalous pixels in row-major order, 1 / (area of the pixel's region); the sum is the
        number of regions.
    """
    regions, _ = scipy.ndimage.label(mask, _EIGHT_NEIGHBOURS)
    return shares_of_regions(regions[mask])


def shares_of_regions(regions: np.ndarray) -> np.ndarray:
    """The share (K,) float64 of each of K items in its region, from the region numbers (K,)."""
    _, place, counts = np.unique(regions, return_inverse=True, return_counts=True)
    return 1.0 / counts[place.reshape(-1)]


def cloud_regions(points: np.ndarray, anomalous: np.ndarray, neighbours: int = REGION_NEIGHBOURS) -> np.ndarray:
    """Number the connected anomalous regions of a cloud.

    Two points are joined if one is among the `neighbours` nearest other points of the other one; normal points count
    among these, but join nothing. The regions are the connected components of the anomalous points.

    Args:
        points: (P, 3) finite floats.
        anomalous: (P,) bool.
        neighbours: k, at least 1.

    Returns:
        (P,) int32, numbered from 1 in the order of the regions' first points, 0 for normal points.
    """
    regions = np.zeros(len(points), np.int32)
    own = np.flatnonzero(anomalous)
    if not len(own):
        return regions
    crowds = without_crowds(np.column_stack([points, anomalous]), neighbours + 1)
    if crowds is not None:
        kept, stands_for = crowds
        return cloud_regions(points[kept], anomalous[kept], neighbours)[stands_for]
    neighbours = min(neighbours, len(points) - 1)
    parts, component = _components(points, own, min(neighbours, _FIRST_NEIGHBOURS))
    if parts > 1 and neighbours > _FIRST_NEIGHBOURS:
        _, component = _components(points, own, neighbours)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    regions[own] = np.argsort(np.argsort(first))[inverse.reshape(-1)] + 1
    return regions


def _components(points: np.ndarray, own: np.ndarray, neighbours: int) -> tuple[int, np.ndarray]:
    """How many components the anomalous points (K,) of a cloud have, and the number (K,) of each one's component."""
    nearest = _nearest_others(points, own, neighbours)
    # An edge from a normal point to an anomalous one joins no region, so only the anomalous points' edges are needed.
    place = np.full(len(points), -1, np.int32)
    place[own] = np.arange(len(own))
    target = place[nearest].ravel()
    inside = target >= 0
    edges = np.repeat(place[own], nearest.shape[1])[inside], target[inside]
    graph = scipy.sparse.coo_array((np.ones(len(edges[0]), bool), edges), shape=(len(own), len(own)))
    count, component = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return int(count), component


def _nearest_others(points: np.ndarray, of: np.ndarray, count: int) -> np.ndarray:
    """The `count` nearest points (len(of), count) of the given points, excluding the points themselves."""
    if count == 0:
        return np.zeros((len(of), 0), np.int64)
    _, nearest = scipy.spatial.cKDTree(points).query(points[of], k=range(1, count + 2))
    # Among coincident points any may come first, and if there are many, the point itself may be missing.
    is_itself = nearest == of[:, None]
    is_itself[~is_itself.any(axis=1), -1] = True
    return nearest[~is_itself].reshape(len(of), count)
