"""Counts of normal and anomalous scores in a bounded number of cells, whatever the order in which scores arrive."""

from dataclasses import dataclass

import numpy as np

from pointad.metrics.ranking import Ranking

PENDING_SCORES = 2**22  # collected before they are sorted into the cells, since each time costs a pass over all cells
_LOWEST_INTEGER = np.iinfo(np.int64).min
_HALF_BITS = 31  # weights are counted in units of 2**-62, in two halves of 31 bits, so that no sum can overflow


class ScoreCells:
    """Sorts scores into at most `most_cells` cells of neighbouring scores.

    A cell holds the scores whose bit patterns agree in all but the lowest bits. As many bits are ignored as needed to
    have few enough cells. That number depends only on which scores there are, and a cell stores only integers, minima
    and maxima: the same scores in any order give bit-identical cells. A million cells hold all scores between 1e-9
    and 1 in steps of at most 0.003 per cent; scores within a smaller range, or with few distinct values, are resolved
    more finely.
    """

    def __init__(self, most_cells: int, pending_scores: int = PENDING_SCORES) -> None:
        """Start empty.

        Args:
            most_cells: the maximum number of cells in the end.
            pending_scores: how many scores are collected before they are sorted into the cells; does not affect the
                result.
        """
        self._most_cells = max(most_cells, 2)  # numbers below and above zero never share a cell
        self._most_pending = pending_scores
        self._ignored_bits = 0
        self._cells = _Cells.of_normal(np.zeros(0), ignored_bits=0)
        self._pending: list[tuple[np.ndarray, np.ndarray | None]] = []
        self._pending_scores = 0

    def add(self, normal_scores: np.ndarray, anomalous_scores: np.ndarray, weights: np.ndarray) -> None:
        """Count normal scores (A,), and anomalous ones (B,) with their weights (B,), 0 … 1; scores of any real type."""
        for start in range(0, len(normal_scores), self._most_pending):
            self._append(normal_scores[start : start + self._most_pending], None)
        for start in range(0, len(anomalous_scores), self._most_pending):
            part = slice(start, start + self._most_pending)
            self._append(anomalous_scores[part], weights[part])

    def ranking(self, lowest: float, highest: float) -> Ranking:
        """The counts so far as a ranking; the caller provides the lowest and the highest score of all."""
        self._settle()
        cells = self._cells
        scores, ends = _to_scores(cells.lowest), _to_scores(cells.highest)
        has_anomalous = cells.anomalous > 0
        return Ranking(
            normal_scores=scores,
            anomalous_scores=scores[has_anomalous],
            anomalous_weights=cells.weights[has_anomalous],
            lowest=lowest,
            highest=highest,
            normal_counts=cells.normal,
            anomalous_counts=cells.anomalous[has_anomalous],
            normal_ends=ends,
            anomalous_ends=ends[has_anomalous],
        )

    def _append(self, scores: np.ndarray, weights: np.ndarray | None) -> None:
        self._pending.append((scores, weights))
        self._pending_scores += len(scores)
        if self._pending_scores >= self._most_pending:
            self._settle()

    def _settle(self) -> None:
        parts = [self._cells]
        normal = [scores for scores, weights in self._pending if weights is None]
        anomalous = [(scores, weights) for scores, weights in self._pending if weights is not None]
        if normal:
            parts.append(_Cells.of_normal(np.concatenate(normal), self._ignored_bits))
        if anomalous:
            scores, weights = (np.concatenate(column) for column in zip(*anomalous, strict=True))
            parts.append(_Cells.of_anomalous(scores, weights))
        self._pending, self._pending_scores = [], 0
        if len(parts) > 1:
            joined = _Cells(*(np.concatenate([part.rows[row] for part in parts], axis=-1) for row in range(6)))
            self._cells, self._ignored_bits = joined.merged(self._ignored_bits, self._most_cells)


@dataclass(frozen=True)
class _Cells:
    """K cells, each possibly a single score; all int64."""

    lowest: np.ndarray  # (K,) score as an integer in the same order
    highest: np.ndarray  # (K,)
    normal: np.ndarray  # (K,) counts
    anomalous: np.ndarray  # (K,)
    upper_weights: np.ndarray  # (K,) sums of the weights' upper halves
    lower_weights: np.ndarray  # (K,)

    @classmethod
    def of_normal(cls, scores: np.ndarray, ignored_bits: int) -> "_Cells":
        """The cells of normal scores (A,)."""
        ascending = _to_integers(np.sort(scores))
        starts = _starts_of_cells(ascending, ignored_bits) if len(scores) else np.zeros(0, np.int64)
        ends = np.append(starts[1:], len(scores))[: len(starts)]
        zeros = np.zeros(len(starts), np.int64)
        return cls(ascending[starts], ascending[ends - 1], ends - starts, zeros, zeros, zeros)

    @classmethod
    def of_anomalous(cls, scores: np.ndarray, weights: np.ndarray) -> "_Cells":
        """A cell for each of the anomalous scores (B,) with their weights (B,)."""
        places = _to_integers(scores)
        units = np.rint(np.ldexp(weights, 2 * _HALF_BITS)).astype(np.int64)
        upper, lower = units >> _HALF_BITS, units & ((1 << _HALF_BITS) - 1)
        return cls(places, places, np.zeros_like(places), np.ones_like(places), upper, lower)

    @property
    def rows(self) -> tuple[np.ndarray, ...]:
        """All arrays, in the order of the fields."""
        return self.lowest, self.highest, self.normal, self.anomalous, self.upper_weights, self.lower_weights

    @property
    def weights(self) -> np.ndarray:
        """(K,) float64, sums of the weights."""
        return np.ldexp(self.upper_weights, -_HALF_BITS) + np.ldexp(self.lower_weights, -2 * _HALF_BITS)

    def merged(self, ignored_bits: int, most_cells: int) -> tuple["_Cells", int]:
        """Merge cells (in any order) that differ only in ignored bits, ignoring more bits until they are few enough.

        Returns:
            at most `most_cells` cells in ascending order, and the number of ignored bits, not less than before.
        """
        order = np.argsort(self.lowest, kind="stable")
        ascending = self.lowest[order]
        starts = _starts_of_cells(ascending, ignored_bits)
        while len(starts) > most_cells:
            ignored_bits += 1
            starts = _starts_of_cells(ascending, ignored_bits)
        sums = (np.add.reduceat(amounts[order], starts) for amounts in self.rows[2:])
        return _Cells(ascending[starts], np.maximum.reduceat(self.highest[order], starts), *sums), ignored_bits


def _starts_of_cells(ascending: np.ndarray, ignored_bits: int) -> np.ndarray:
    cell = ascending >> ignored_bits
    return np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))


def _to_integers(scores: np.ndarray) -> np.ndarray:
    """Real numbers as int64 in the same order: their float64 bit patterns, inverted for negative numbers."""
    bits = scores.astype(np.float64).view(np.int64)
    return np.where(bits < 0, _LOWEST_INTEGER - bits, bits)


def _to_scores(integers: np.ndarray) -> np.ndarray:
    """The inverse of `_to_integers`, as float64."""
    return np.where(integers < 0, _LOWEST_INTEGER - integers, integers).view(np.float64)
