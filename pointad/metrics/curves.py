"""ROC and PRO curves thinned to a few hundred points, for plotting."""

import numpy as np

from pointad.compute.argument_kinds import as_whole_number
from pointad.errors import InputError
from pointad.metrics.aupro import pro_polyline
from pointad.metrics.ranking import Ranking, Sweep

MOST_POINTS = 200
_DECIMALS = 6

Curve = dict[str, list[float]]


def curves(ranking: Ranking, most_points: int = MOST_POINTS) -> dict[str, Curve]:
    """The ROC and the PRO curve of ranked scores.

    Args:
        ranking: `rank(labels, scores)` or `PixelScores.ranking()`.
        most_points: maximum number of points per curve; they are exact corners of the full curve, evenly spread.

    Returns:
        {"roc": {"false_positive_rate": [...], "height": [...]}, "pro": {... same ...}}, ready for JSON, both ascending
        from 0 to 1; empty if a class has no item. The PRO curve is only meaningful for pixels.

    Raises:
        InputError: a curve has fewer than two points.
    """
    if as_whole_number(most_points, "most_points") < 2:
        raise InputError(f"most_points {most_points}", "is too few for a curve", "give at least 2")
    if not ranking.has_both_classes:
        return {}
    return {
        "roc": _thinned(*roc_polyline(ranking.sweep), most_points),
        "pro": _thinned(*pro_polyline(ranking.sweep), most_points),
    }


def roc_polyline(sweep: Sweep) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the ROC curve from (0, 0) to (1, 1): false- and true-positive rates, both (2 T + 2,)."""
    corners = np.stack([sweep.false_positives_above, sweep.false_positives], axis=1).ravel() / sweep.normal_count
    rates = np.append(0, sweep.true_positives) / sweep.anomalous_count
    heights = np.repeat(rates, 2)[1:-1]
    return np.concatenate([[0.0], corners, [1.0]]), np.concatenate([[0.0], heights, [1.0]])


def _thinned(false_positive_rate: np.ndarray, height: np.ndarray, most_points: int) -> Curve:
    length = np.append(0.0, np.cumsum(np.abs(np.diff(false_positive_rate)) + np.abs(np.diff(height))))
    wanted = np.searchsorted(length, np.linspace(0, length[-1], most_points)[:-1])
    kept = np.unique(np.append(wanted, len(length) - 1))  # the last, though its length may be that of others before
    return {
        "false_positive_rate": np.round(false_positive_rate[kept], _DECIMALS).tolist(),
        "height": np.round(height[kept], _DECIMALS).tolist(),
    }
