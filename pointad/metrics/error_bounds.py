"""Bounds on the error of metrics of binned scores; zero for scores that were not binned.

Within a bin of several scores their order is lost: the true curve runs from one corner of a known rectangle to the
opposite one, and each bound is the change by the worst and the best such path. A bin with one score is exact.
"""

import numpy as np

from pointad.metrics.aupro import published_thresholds
from pointad.metrics.ranking import Ranking
from pointad.metrics.threshold_free import f1_max_of


def auroc_error_bound(ranking: Ranking) -> float:
    """Half the summed area of the bins' rectangles on the ROC curve."""
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    sweep = ranking.sweep
    widths = (sweep.false_positives - sweep.false_positives_above) / sweep.normal_count
    heights = np.diff(sweep.true_positives, prepend=0) / sweep.anomalous_count
    return float((widths * heights)[ranking.sweep_mixes].sum() / 2)


def aupro_error_bound(ranking: Ranking, limit: float) -> float:
    """Half the area of the bins' rectangles left of the limit, plus the whole area of one that the limit cuts.

    This bounds the exact AU-PRO; `published_aupro_error_bound` is for the published variant.
    """
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    sweep = ranking.sweep
    left = np.minimum(sweep.false_positives_above / sweep.normal_count, limit)
    right = sweep.false_positives / sweep.normal_count
    areas = (np.minimum(right, limit) - left) * np.diff(sweep.overlap, prepend=0.0)
    return float((areas * np.where(right <= limit, 0.5, 1.0))[ranking.sweep_mixes].sum() / limit)


def published_aupro_error_bound(ranking: Ranking, limit: float) -> float | None:
    """Bound on the error of the published AU-PRO due to thresholds that fall into bins; None if none is known.

    At such a threshold both rates can be higher by the content of the bin. First the overlaps are moved, then the
    false-positive rates, then their range, by which the area is divided. If it is uncertain whether the last
    threshold below the limit really is below it, the area can change by any amount.
    """
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    thresholds = published_thresholds(ranking)
    rate, highest_rate = (counts / ranking.normal_count for counts in ranking.normal_above_range(thresholds))
    overlap, highest_overlap = ranking.overlap_above_range(thresholds)
    below = rate < limit
    if (below != (highest_rate < limit)).any() or not below.any():
        return None
    rate, overlap = rate[below], overlap[below]
    rate_error, overlap_error = highest_rate[below] - rate, highest_overlap[below] - overlap
    least_range = rate[0] - rate[-1] - rate_error[-1]
    if least_range <= 0:
        return None
    widths = np.abs(np.diff(rate, prepend=rate[:1], append=rate[-1:]))
    area_error = overlap_error @ (widths[:-1] + widths[1:]) / 2
    highest = overlap + overlap_error
    steps = np.concatenate([highest[:1], (highest[:-2] - overlap[2:]) / 2, highest[-2:-1]])
    area_error += rate_error @ steps
    return float((area_error + max(rate_error[0], rate_error[-1])) / least_range)


def average_precision_error_bound(ranking: Ranking) -> float:
    """The largest change if the anomalous scores come last or first in every bin."""
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    sweep = ranking.sweep
    found = np.diff(sweep.true_positives, prepend=0)
    first_hit = sweep.true_positives - found + 1
    middle = sweep.true_positives / (sweep.true_positives + sweep.false_positives)
    worst = first_hit / (first_hit + sweep.false_positives)
    best = sweep.true_positives / (sweep.true_positives + sweep.false_positives_above)
    errors = found * np.maximum(middle - worst, best - middle)
    return float(errors[ranking.sweep_mixes].sum() / sweep.anomalous_count)


def f1_max_error_bound(ranking: Ranking) -> float:
    """The gain if the anomalous scores come first in every bin; the exact value is never smaller."""
    middle = f1_max_of(ranking)
    if not ranking.is_binned or middle is None:
        return 0.0
    sweep = ranking.sweep
    false_positives = np.where(ranking.sweep_mixes, sweep.false_positives_above, sweep.false_positives)
    best = 2 * sweep.true_positives / (sweep.true_positives + false_positives + sweep.anomalous_count)
    return float(best.max() - middle)
