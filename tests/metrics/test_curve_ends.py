"""Curves for drawing begin and end where whole ones do, wherever the lowest anomalous score lies."""

import numpy as np
import pytest

from pointad.metrics.curves import MOST_POINTS, curves
from pointad.metrics.ranking import rank


@pytest.mark.parametrize("lowest", [-1.0, 0.5])
@pytest.mark.parametrize("count", [3, 50, 3000])
def test_thin_curves_run_from_corner_to_corner(lowest: float, count: int) -> None:
    random = np.random.default_rng(count)
    labels, scores = np.arange(count) % 2, random.random(count)
    scores[1] = lowest  # below all others, the last two corners are one
    for curve in curves(rank(labels, scores)).values():
        ends = [(curve["false_positive_rate"][end], curve["height"][end]) for end in (0, -1)]
        assert ends == [(0.0, 0.0), (1.0, 1.0)]
        assert len(curve["height"]) <= MOST_POINTS
