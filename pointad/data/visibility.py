"""Visibility of points in views: points that no view sees borrow the flags of other points (section 3.2)."""

import numpy as np
from numpy.typing import NDArray

from pointad.errors import InputError


def fill_never_seen(visible: NDArray[np.bool_], non_zero: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give every point that no view sees the visibility flags of another point.

    In flat index order over the points that are not holes, let ``next`` be the first later point that some view sees,
    and ``previous`` the point just before with the flags that it ended up with. The unseen point takes the flags of
    ``previous`` when its index is strictly nearer, else those of ``next``. Where no later point is seen, ``next`` is
    the first point of all, at the distance of the last one. So a run of unseen points hands on the flags of its left
    neighbour, up to the last, which takes those of its right neighbour.

    Written without a loop: seen points and those that choose ``next`` are anchors, and every other point has the
    flags of the nearest anchor before it.

    Args:
        visible: (V, P) bool, whether view v sees point p.
        non_zero: (P,) bool, False for holes.

    Returns:
        (V, P) bool, a new array; flags of seen points and holes are as they were.

    Raises:
        InputError: no view sees any point, or the shapes do not match.
    """
    if visible.ndim != 2 or visible.shape[1:] != non_zero.shape:
        problem = f"has the shape {visible.shape} for {non_zero.size} positions"
        raise InputError("visibility", problem, "give a flag for each view and position, (V, P)")
    positions = np.flatnonzero(non_zero)  # (M,) flat indices of the points
    flags = visible[:, positions]  # (V, M)
    seen = flags.any(axis=0)
    if not seen.any():
        raise InputError("visibility", "no view sees any point of this sample", "render the sample again")

    order = np.arange(len(positions))
    # next_seen[m]: the first seen point at or after m; len(positions) where there is none.
    next_seen = np.minimum.accumulate(np.where(seen, order, len(positions))[::-1])[::-1]
    has_next = next_seen < len(positions)
    distance_to_next = positions[np.where(has_next, next_seen, -1)] - positions
    distance_to_previous = np.diff(positions, prepend=np.iinfo(positions.dtype).min // 2)  # the first has none

    # A point without a later seen one uses the first point, which is seen or takes its own `next`.
    chosen = np.where(has_next, next_seen, next_seen[0])
    is_anchor = seen | (distance_to_previous >= distance_to_next)
    nearest_anchor = np.maximum.accumulate(np.where(is_anchor, order, 0))
    source = chosen[nearest_anchor]

    filled = visible.copy()
    filled[:, positions] = flags[:, source]
    return filled
