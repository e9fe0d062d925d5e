"""Recognizes points on one line, in which no surface can be seen."""

import numpy as np

_TOLERANCE = 1e-6  # how far points of a line may spread beside it, relative to how far along it
_SAMPLE = 100_000  # points that settle it for nearly every cloud


def on_a_line(points: np.ndarray) -> bool:
    """Whether finite points (N, 3), in any unit, lie on one line or in one place."""
    return _on_a_line(points[:: max(1, len(points) // _SAMPLE)]) and _on_a_line(points)


@np.errstate(over="ignore")  # coordinates as large as the type allows
def _on_a_line(points: np.ndarray) -> bool:
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    extent = (high - low).max()
    if extent == 0 or not np.isfinite(extent):
        return bool(extent == 0)
    within = (points - low) / extent
    centred = within - within.mean(axis=0)
    _, along = np.linalg.eigh(centred.T @ centred)
    reach = np.ptp(centred @ along, axis=0)
    return bool(reach[1] <= _TOLERANCE * reach[2])
