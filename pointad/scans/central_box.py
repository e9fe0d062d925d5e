"""Where the bulk of a scan lies, whatever a few points far outside say."""

import numpy as np

_PART = (0.005, 0.995)  # quantiles of each coordinate


def central_box(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper corner (3,) of the box that holds all but the outermost of points (N, 3), N at least 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = np.quantile(points, _PART, axis=0)
    return low, high


def within_reach(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Flags (N,) of the points (N, 3) that lie no farther outside a box than it is large; all, if it has no extent."""
    with np.errstate(over="ignore", invalid="ignore"):
        reach = (high - low).max()
        return ((points >= low - reach) & (points <= high + reach)).all(axis=1) | ~(reach > 0)
