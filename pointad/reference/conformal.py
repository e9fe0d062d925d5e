"""Decisions with a stated rate of false alarms: how unusual a score is among those of good scans.

Split conformal prediction (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005): if the scan is
as good as the others, all ranks of its score among theirs are equally likely, whatever the scores mean.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import beta

from pointad.compute.argument_kinds import as_number, as_whole_number
from pointad.errors import InputError

CONFIDENCE = 0.95
LEAST_RATE = 1e-15  # of false alarms; nobody has as many scans as a lower one takes


def p_value(score: float, good_scores: Sequence[float] | np.ndarray) -> float:
    """How likely a good scan is to score at least as high: (1 + number of good scores that do) / (n + 1).

    Args:
        score: of the scan to be judged.
        good_scores: (n,) of good scans, none of which helped to make what scored them.

    Raises:
        InputError: a score is not a number, or the good ones are no list.
    """
    known = _finite_list([*_finite_list(good_scores), as_number(score, "score")])
    return int((known >= score).sum()) / len(known)  # of which the scan itself is one


def _finite_list(scores: Sequence[float] | np.ndarray) -> np.ndarray:
    known = np.asarray(scores, dtype=np.float64)
    if known.ndim != 1:
        raise InputError("scores", f"have the shape {known.shape}", "give a list of numbers")
    if not np.isfinite(known).all():
        raise InputError("scores", "hold a value that is not a number", "leave out the scan that it belongs to")
    return known


def fewest_good_scans(rate: float) -> int:
    """How many good scores a decision at this rate of false alarms takes: the least n with 1 / (n + 1) <= rate.

    Raises:
        InputError: the rate is no probability between 0 and 1.
    """
    if not LEAST_RATE <= as_number(rate, "false-alarm rate") < 1:
        raise InputError(
            f"false-alarm rate {rate:g}", "is not a rate", "give a number above 0 and below 1, such as 0.05"
        )
    return math.ceil(1 / rate - 1 - 1e-9)


def rate_interval(alarms: int, count: int) -> tuple[float, float]:
    """The exact (Clopper-Pearson) interval of a rate of which `alarms` of `count` good scans were seen.

    Args:
        alarms: how many good scans were reported.
        count: of how many; at least 1.

    Raises:
        InputError: they are no such numbers.
    """
    if not 0 <= as_whole_number(alarms, "alarms") <= as_whole_number(count, "count") or not count:
        raise InputError(f"{alarms} of {count} good scans", "is no share", "give whole numbers, and at least 1 scan")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if alarms == 0 else float(beta.ppf(tail, alarms, count - alarms + 1))
    high = 1.0 if alarms == count else float(beta.ppf(1 - tail, alarms + 1, count - alarms))
    return low, high


def require_enough(count: int, rate: float, fewest: int = 2) -> None:
    """Refuse a rate that takes more good scans than there are.

    Args:
        count: of good scans.
        rate: of false alarms.
        fewest: that any rate takes: two are needed for each to be compared with the others.

    Raises:
        InputError: there are too few; the text says how many more it takes.
    """
    needed = max(fewest, fewest_good_scans(rate))
    if count >= needed:
        return
    problem = f"takes the scores of {needed} good scans, and there {'is' if count == 1 else 'are'} {count}"
    remedy = f"give {needed - count} more"
    if count >= fewest:
        digits = len(str(count + 1)) + 2
        least = math.ceil(10**digits / (count + 1)) / 10**digits  # rounded up, for less would be refused as well
        remedy += f", or a rate of at least {least:g}"
    raise InputError(f"false-alarm rate {rate:g}", problem, remedy)


def conformal_threshold(good_scores: Sequence[float] | np.ndarray, rate: float) -> float:
    """The score above which the p-value is at most the rate.

    Args:
        good_scores: (n,) of good scans.
        rate: of false alarms.

    Raises:
        InputError: there are too few scores for such a rate, of which the text says how many more it takes; or one is
            not a number.
    """
    known = _finite_list(good_scores)
    count = len(known)
    require_enough(count, rate, fewest=1)
    allowed = min(count, int(np.floor(rate * (count + 1) + 1e-9)))  # good scores may be as high: 1 + that many - 1
    return float(np.sort(known)[count - allowed])
