"""Scores of normal and anomalous items, sorted once: the basis of every metric.

A metric curve changes its height only where an anomalous score is passed. So the curve is known exactly from the
distinct anomalous scores (a few per cent of all pixels) and from how many normal scores lie above each of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pointad.errors import InputError, reason


@dataclass(frozen=True)
class Sweep:
    """The state of a falling threshold at each of the T distinct anomalous scores, from high to low."""

    false_positives_above: np.ndarray  # (T,) int64, normal items that score more than the threshold
    false_positives: np.ndarray  # (T,) int64, normal items that score at least the threshold
    true_positives: np.ndarray  # (T,) int64, anomalous items that score at least the threshold
    overlap: np.ndarray  # (T,) float64, share of the anomalous weight that scores at least the threshold, ends at 1
    normal_count: int
    anomalous_count: int


@dataclass(frozen=True)
class Ranking:
    """Normal and anomalous scores in ascending order, each with the number of items that it stands for.

    Without counts every score represents one item. With counts a score represents the bin (`PixelScores`) of which it
    is the lowest, and both kinds share the bins.
    """

    normal_scores: np.ndarray  # (A,) ascending
    anomalous_scores: np.ndarray  # (B,) ascending
    anomalous_weights: np.ndarray  # (B,) float64, contribution of each anomalous score to the overlap, any scale
    lowest: float  # of all scores, before any binning
    highest: float
    normal_counts: np.ndarray | None = None  # (A,) int64
    anomalous_counts: np.ndarray | None = None  # (B,) int64
    normal_ends: np.ndarray | None = None  # (A,) the highest score of every bin, of either kind
    anomalous_ends: np.ndarray | None = None  # (B,)

    @property
    def is_binned(self) -> bool:
        """Whether scores were rounded to bins, so that metrics are approximate."""
        return self.normal_counts is not None

    @property
    def normal_count(self) -> int:
        """The number of normal items."""
        return len(self.normal_scores) if self.normal_counts is None else int(self.normal_counts.sum())

    @property
    def anomalous_count(self) -> int:
        """The number of anomalous items."""
        return len(self.anomalous_scores) if self.anomalous_counts is None else int(self.anomalous_counts.sum())

    @property
    def has_both_classes(self) -> bool:
        """Whether there is a normal and an anomalous item; without both, most metrics are undefined."""
        return self.normal_count > 0 and self.anomalous_count > 0

    def normal_above(self, thresholds: np.ndarray, *, or_equal: bool = False) -> np.ndarray:
        """Count the normal items above each threshold.

        Args:
            thresholds: (T,), any order; sorted ones are much faster.
            or_equal: also count the items equal to the threshold.

        Returns:
            (T,) int64.
        """
        position = np.searchsorted(self.normal_scores, thresholds, side="left" if or_equal else "right")
        return _from_position(self.normal_counts, len(self.normal_scores))[position]

    def overlap_above(self, thresholds: np.ndarray) -> np.ndarray:
        """The share (T,) of the anomalous weight strictly above each threshold (T,)."""
        position = np.searchsorted(self.anomalous_scores, thresholds, side="right")
        from_position = _from_position(self.anomalous_weights, len(self.anomalous_scores))
        return from_position[position] / from_position[0]

    def normal_above_range(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minimum and maximum number of normal items above each threshold (T,): a threshold may fall inside a bin."""
        if self.normal_ends is None:
            return self.normal_above(thresholds), self.normal_above(thresholds)
        above_end = np.searchsorted(self.normal_ends, thresholds, side="right")
        return self.normal_above(thresholds), _from_position(self.normal_counts, len(self.normal_ends))[above_end]

    def overlap_above_range(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for the share of the anomalous weight."""
        if self.anomalous_ends is None:
            return self.overlap_above(thresholds), self.overlap_above(thresholds)
        above_end = np.searchsorted(self.anomalous_ends, thresholds, side="right")
        from_position = _from_position(self.anomalous_weights, len(self.anomalous_ends))
        return self.overlap_above(thresholds), from_position[above_end] / from_position[0]

    @property
    def sweep_mixes(self) -> np.ndarray:
        """(T,) bool, whether the bin of each step of the sweep holds different scores, whose order is not known."""
        if self.anomalous_ends is None:
            return np.zeros(len(self.sweep.true_positives), bool)
        return (self.anomalous_scores < self.anomalous_ends)[::-1]

    @cached_property
    def sweep(self) -> Sweep:
        """The state of a falling threshold at each distinct anomalous score."""
        descending = self.anomalous_scores[::-1]
        last_of_its_value = np.append(descending[1:] != descending[:-1], True) if len(descending) else slice(0)
        counts = np.ones(len(descending), np.int64) if self.anomalous_counts is None else self.anomalous_counts[::-1]
        thresholds = descending[last_of_its_value]
        weight = np.cumsum(self.anomalous_weights[::-1])
        return Sweep(
            # The counts are looked up in ascending order, along the cache lines of the sorted scores.
            false_positives_above=self.normal_above(thresholds[::-1])[::-1],
            false_positives=self.normal_above(thresholds[::-1], or_equal=True)[::-1],
            true_positives=np.cumsum(counts)[last_of_its_value],
            overlap=weight[last_of_its_value] / weight[-1] if len(weight) else weight,
            normal_count=self.normal_count,
            anomalous_count=self.anomalous_count,
        )


def rank(labels: np.ndarray, scores: np.ndarray) -> Ranking:
    """Rank items that have a label and a score; every anomalous item weighs the same.

    Args:
        labels: any shape, anomalous where above 0.
        scores: the same shape, any real type; larger is more anomalous.

    Raises:
        InputError: the shapes differ, a label or a score is not a number, or they are masked arrays.
    """
    scores, anomalous = real_numbers(scores, "anomaly scores"), is_anomalous(labels, "labels")
    if anomalous.shape != scores.shape:
        raise InputError("labels and scores", f"have shapes {anomalous.shape} and {scores.shape}", "give one of each")
    check_scores(scores)
    anomalous_scores = np.sort(scores[anomalous])
    return Ranking(
        normal_scores=np.sort(scores[~anomalous]),
        anomalous_scores=anomalous_scores,
        anomalous_weights=np.ones(len(anomalous_scores)),
        lowest=float(scores.min()) if scores.size else np.nan,
        highest=float(scores.max()) if scores.size else np.nan,
    )


def is_anomalous(labels: np.ndarray, name: str) -> np.ndarray:
    """Whether labels, or the values of a mask, of any shape are above 0; `name` is what errors call them.

    Raises:
        InputError: they are not real numbers, one is not a number, or they are a masked array.
    """
    labels = real_numbers(labels, name)
    if np.isnan(labels).any():
        raise InputError(name, f"{np.isnan(labels).sum()} of {labels.size} are not a number", "give 0 or 1")
    return labels > 0


def real_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """The same as an array; `name` is what errors call them.

    Raises:
        InputError: they are not real numbers, or they are a masked array, whose mask would be ignored.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(name, "are a masked array", "give the entries that count, such as values.compressed()")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # tensors on a GPU, lists of unequal lengths
        raise InputError(name, f"are no array ({reason(error)})", "give a NumPy array of numbers") from error
    if array.dtype.kind not in "biuf":
        raise InputError(name, f"are {array.dtype}", "give real numbers")
    return array


def check_scores(scores: np.ndarray) -> None:
    """Refuse scores that cannot be ranked.

    Raises:
        InputError: a score is not a number.
    """
    if np.isnan(scores).any():
        raise InputError(
            "anomaly scores",
            f"{np.isnan(scores).sum()} of {scores.size} are not a number",
            "check for damaged weights or a damaged input file",
        )


def _from_position(amounts: np.ndarray | None, length: int) -> np.ndarray:
    """Sums of the amounts (1 each if None) from every position 0 .. length to the end: (length + 1,)."""
    if amounts is None:
        return np.arange(length, -1, -1)
    return np.append(np.cumsum(amounts[::-1])[::-1], np.zeros(1, amounts.dtype))
