"""Decisions with a stated rate of false alarms: the definition, the fewest scans, and the rate in a simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from pointad.errors import InputError
from pointad.reference.conformal import conformal_threshold, fewest_good_scans, p_value, rate_interval, require_enough


def test_p_value_counts_the_good_scores_that_are_as_high() -> None:
    good = [0.1, 0.2, 0.3, 0.3]
    assert p_value(0.3, good) == 3 / 5
    assert p_value(0.31, good) == 1 / 5
    assert p_value(0.0, good) == 1.0
    with pytest.raises(InputError, match="not a number"):
        p_value(float("nan"), good)


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 19), (0.1, 9), (0.2, 4), (0.5, 1), (0.01, 99)])
def test_fewest_good_scans(rate: float, needed: int) -> None:
    assert fewest_good_scans(rate) == needed
    conformal_threshold(np.arange(needed), rate)
    with pytest.raises(InputError, match=f"takes the scores of {needed} good scans.*; give"):
        conformal_threshold(np.arange(needed - 1), rate)


def test_the_rate_that_is_named_for_few_good_scans_is_one_that_they_allow() -> None:
    for count in range(2, 1200):
        with pytest.raises(InputError) as refused:
            require_enough(count, 1e-5)
        rate = float(str(refused.value).rsplit(" ", 1)[-1])
        require_enough(count, rate)
        assert rate <= 1.05 / (count + 1)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.17])
@pytest.mark.parametrize("count", [19, 40])
def test_scores_above_the_threshold_are_those_with_a_small_p_value(rate: float, count: int) -> None:
    random = np.random.default_rng(count)
    for tied in (False, True):
        good = random.integers(0, 9, count).astype(float) if tied else random.normal(size=count)
        threshold = conformal_threshold(good, rate)
        for score in [*good, *random.normal(size=20)]:
            assert (score > threshold) == (p_value(score, good) <= rate)


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_false_alarms_keep_their_rate(rate: float) -> None:
    random = np.random.default_rng(3)
    trials, count = 20_000, 25
    good = random.gamma(2.0, size=(trials, count))  # no particular distribution
    new = random.gamma(2.0, size=trials)
    alarms = sum(p_value(score, known) <= rate for score, known in zip(new, good, strict=True))
    exact = np.floor(rate * (count + 1)) / (count + 1)  # the largest rate that ranks among 26 can keep
    low, high = binom.interval(0.999, trials, exact)
    assert low <= alarms <= high and exact <= rate


def test_interval_of_a_rate() -> None:
    low, high = rate_interval(0, 20)
    assert low == 0 and high == pytest.approx(1 - 0.025 ** (1 / 20))  # the rule of three, exactly
    low, high = rate_interval(20, 20)
    assert high == 1 and low == pytest.approx(0.025 ** (1 / 20))
    low, high = rate_interval(3, 50)
    assert 0.012 < low < 0.013 and 0.165 < high < 0.166
