"""Whether two prepared scans are one recording, stored in two formats or precisions."""

import numpy as np

SAME_PLACE = 3e-4
"""Of the extent: five decimals of metres move a part of 15 cm less, and noise moves the farthest point more."""

_MOST_POINTS = 1000


class Likeness:
    """A few points of a prepared scan, as many as tell it from another recording.

    Points are compared in the order of the file, which exports of one recording share.

    Args:
        points: (M, 3), centred and scaled.
        extent: largest side of their box.
    """

    def __init__(self, points: np.ndarray, extent: float) -> None:
        self._count, self._extent = len(points), extent
        chosen = np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(np.int64)
        self._points = points[chosen].copy()

    def is_same_recording(self, other: "Likeness") -> bool:
        """Whether both have as many points, and every point compared lies at the same place."""
        if self._count != other._count:
            return False
        return bool((np.abs(self._points - other._points) <= SAME_PLACE * self._extent).all())
