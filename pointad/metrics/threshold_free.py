"""AUROC, average precision and F1-max, of samples or of pixels; equal to scikit-learn's.

Without normal items, scikit-learn's precision is 1 whatever the scores are; here all three are undefined then.
"""

import numpy as np

from pointad.metrics.ranking import Ranking, rank


def auroc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the receiver operating characteristic; ties count half.

    Args:
        labels: any shape, anomalous where above 0.
        scores: the same shape; larger is more anomalous.

    Returns:
        0 .. 1, or None if there is no normal or no anomalous item.

    Raises:
        InputError: the shapes differ or a score is not a number.
    """
    return auroc_of(rank(labels, scores))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Average precision: the precision at each distinct score, weighted by the step in recall (no interpolation).

    Args and errors: see `auroc`.

    Returns:
        0 .. 1, or None if there is no normal or no anomalous item.
    """
    return average_precision_of(rank(labels, scores))


def f1_max(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """The largest F1 score that any threshold reaches.

    Args and errors: see `auroc`.

    Returns:
        0 .. 1, or None if there is no normal or no anomalous item.
    """
    return f1_max_of(rank(labels, scores))


def auroc_of(ranking: Ranking) -> float | None:
    """AUROC of ranked scores: the share of (anomalous, normal) pairs in the right order; see `auroc`."""
    if not ranking.has_both_classes:
        return None
    sweep = ranking.sweep
    found = np.diff(sweep.true_positives, prepend=0)
    # Twice the number of ordered pairs, so that half a pair per tie stays an integer.
    ordered_twice = found @ (2 * sweep.normal_count - sweep.false_positives_above - sweep.false_positives)
    return float(ordered_twice / (2 * sweep.normal_count * sweep.anomalous_count))


def average_precision_of(ranking: Ranking) -> float | None:
    """Average precision of ranked scores; see `average_precision`."""
    if not ranking.has_both_classes:
        return None
    sweep = ranking.sweep
    recall_steps = np.diff(sweep.true_positives, prepend=0) / sweep.anomalous_count
    precision = sweep.true_positives / (sweep.true_positives + sweep.false_positives)
    return float(recall_steps @ precision)


def f1_max_of(ranking: Ranking) -> float | None:
    """Largest F1 of ranked scores; see `f1_max`. Between two anomalous scores F1 only falls, so none is missed."""
    if not ranking.has_both_classes:
        return None
    sweep = ranking.sweep
    f1 = 2 * sweep.true_positives / (sweep.true_positives + sweep.false_positives + sweep.anomalous_count)
    return float(f1.max())
