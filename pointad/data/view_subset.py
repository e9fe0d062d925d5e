"""Fewer than all nine views: which ones, for the ablation over the number of views."""

from pointad.errors import InputError

VIEW_COUNT = 9
# In the rig of organized scans (x: -45 -15 0 15 45, y: -30 -15 15 30), from the frontal view outwards in pairs.
_FRONTAL_FIRST = (2, 1, 3, 6, 7, 0, 4, 5, 8)


def view_subset(count: int, *, organized: bool) -> tuple[int, ...]:
    """Choose ``count`` of the nine rendered views.

    Organized scans are seen from one side only: the frontal view comes first, then pairs of ever steeper ones.
    Closed shapes are seen from all round: the chosen views are spread evenly over the circle.

    Args:
        count: 1 to 9.
        organized: whether the data set's scans are organized (MVTec3D-AD, Eyecandies) or closed (Real3D-AD).

    Returns:
        Indices into the nine views, ascending.

    Raises:
        InputError: ``count`` is out of range.
    """
    if not 1 <= count <= VIEW_COUNT:
        raise InputError(
            f"--views {count}", f"a sample has {VIEW_COUNT} views", f"give a number from 1 to {VIEW_COUNT}"
        )
    if organized:
        return tuple(sorted(_FRONTAL_FIRST[:count]))
    return tuple(int((i + 0.5) * VIEW_COUNT / count) for i in range(count))
