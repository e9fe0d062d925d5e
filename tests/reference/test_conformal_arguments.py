"""Scores and rates of which no decision can be made: a threshold that is not a number would let every scan pass."""

from typing import Any

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.reference.conformal import conformal_threshold, fewest_good_scans, p_value, rate_interval


@pytest.mark.parametrize("scores", [[1, np.nan, 2], [np.nan] * 9, [1.0, np.inf, 2.0], [[1, 2], [3, 4], [5, 6]]])
def test_good_scores_are_numbers(scores: Any) -> None:
    with pytest.raises(InputError, match="scores"):
        conformal_threshold(scores, 0.5)
    with pytest.raises(InputError, match="scores"):
        p_value(1.0, scores)


@pytest.mark.parametrize("score", [np.nan, np.inf, "1", None])
def test_a_score_is_a_number(score: Any) -> None:
    with pytest.raises(InputError, match="score"):
        p_value(score, [1.0, 2.0])


@pytest.mark.parametrize("rate", [0, 1, -1, np.nan, 1e-320, "0.1"])
def test_rates_are_numbers(rate: Any) -> None:
    with pytest.raises(InputError, match="false-alarm rate"):
        fewest_good_scans(rate)


@pytest.mark.parametrize(("alarms", "count"), [(11, 10), (-1, 10), (0, 0), (1.5, 10)])
def test_shares_are_of_all_scans(alarms: Any, count: int) -> None:
    with pytest.raises(InputError):
        rate_interval(alarms, count)
