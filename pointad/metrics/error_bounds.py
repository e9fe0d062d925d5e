"""How far metrics of binned scores can be from the exact ones; zero for scores that were not binned.

Inside a bin the order of the scores is lost: the true curve runs from one corner of a known rectangle to the opposite
one, and each bound is what the worst and the best such path would change.
"""

import numpy as np

from pointad.metrics.ranking import Ranking
from pointad.metrics.threshold_free import f1_max_of


def auroc_error_bound(ranking: Ranking) -> float:
    """Half the summed area of the bins' rectangles on the ROC curve."""
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    sweep = ranking.sweep
    widths = (sweep.false_positives - sweep.false_positives_above) / sweep.normal_count
    heights = np.diff(sweep.true_positives, prepend=0) / sweep.anomalous_count
    return float(widths @ heights / 2)


def aupro_error_bound(ranking: Ranking, limit: float) -> float:
    """Half the area of the bins' rectangles left of the limit, and the whole of one that the limit cuts.

    It holds for the exact AU-PRO, not for the published variant.
    """
    if not ranking.is_binned or not ranking.has_both_classes:
        return 0.0
    sweep = ranking.sweep
    left = np.minimum(sweep.false_positives_above / sweep.normal_count, limit)
    right = sweep.false_positives / sweep.normal_count
    areas = (np.minimum(right, limit) - left) * np.diff(sweep.overlap, prepend=0.0)
    return float((areas * np.where(right <= limit, 0.5, 1.0)).sum() / limit)


def average_precision_error_bound(ranking: Ranking) -> float:
    """What is lost or won when the anomalous scores stand last or first in every bin."""
    if not ranking.is_binned or ranking.anomalous_count == 0:
        return 0.0
    sweep = ranking.sweep
    found = np.diff(sweep.true_positives, prepend=0)
    first_hit = sweep.true_positives - found + 1
    middle = sweep.true_positives / (sweep.true_positives + sweep.false_positives)
    worst = first_hit / (first_hit + sweep.false_positives)
    best = sweep.true_positives / (sweep.true_positives + sweep.false_positives_above)
    return float(found @ np.maximum(middle - worst, best - middle) / sweep.anomalous_count)


def f1_max_error_bound(ranking: Ranking) -> float:
    """What is won when the anomalous scores stand first in every bin; the exact value is never smaller."""
    middle = f1_max_of(ranking)
    if not ranking.is_binned or middle is None:
        return 0.0
    sweep = ranking.sweep
    best = 2 * sweep.true_positives / (sweep.true_positives + sweep.false_positives_above + sweep.anomalous_count)
    return float(best.max() - middle)
