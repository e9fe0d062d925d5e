"""Pixel scores of a class, collected sample by sample in bounded memory."""

import logging

import numpy as np

from pointad.errors import InputError
from pointad.metrics.ranking import Ranking, check_scores
from pointad.metrics.regions import region_weights

EXACT_PIXELS = 2**25  # 33.5 million, 297 maps of 336 x 336: 134 MB of float32
BINS = 2**16  # beyond that; each holds at most 0.003 % of the normal pixels seen until then, ties aside

logger = logging.getLogger(__name__)


class PixelScores:
    """The scores of normal and anomalous pixels, and the weight of each anomalous pixel in its region.

    Up to `exact_pixels` pixels every score is kept and every metric is exact. Beyond, scores are rounded to bins that
    hold equal shares of the scores seen so far, so memory no longer grows. `pointad.metrics.error_bounds` then
    states how far each metric can be from exact: about 1e-5 while later maps resemble the earlier ones.
    """

    def __init__(self, exact_pixels: int = EXACT_PIXELS, bins: int = BINS) -> None:
        """Start empty.

        Args:
            exact_pixels: how many pixels are kept before binning starts.
            bins: how many bins there are then.
        """
        self._exact_pixels = exact_pixels
        self._bins = bins
        self._normal: list[np.ndarray] = []
        self._anomalous: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._pixels = 0
        self._lowest = np.inf
        self._highest = -np.inf
        self._histogram: _Histogram | None = None

    @classmethod
    def of(cls, maps: np.ndarray, masks: np.ndarray, **options: int) -> "PixelScores":
        """Collect maps (n, H, W) and masks (n, H, W) at once; options as in the constructor, errors as in `add`."""
        if len(maps) != len(masks):
            raise InputError("maps and masks", f"are {len(maps)} and {len(masks)}", "give one mask per map")
        scores = cls(**options)
        for anomaly_map, mask in zip(maps, masks, strict=True):
            scores.add(anomaly_map, mask)
        return scores

    def add(self, anomaly_map: np.ndarray, mask: np.ndarray) -> None:
        """Add one sample.

        Args:
            anomaly_map: (H, W), larger is more anomalous.
            mask: (H, W), anomalous where above 0.

        Raises:
            InputError: the shapes differ or a score is not a number.
        """
        anomaly_map = np.asarray(anomaly_map)
        anomalous = np.asarray(mask) > 0
        if anomaly_map.shape != anomalous.shape or anomaly_map.ndim != 2:
            raise InputError(
                "map and mask", f"have shapes {anomaly_map.shape} and {anomalous.shape}", "give two of shape (H, W)"
            )
        if anomaly_map.size == 0:
            return
        check_scores(anomaly_map)
        self._lowest = min(self._lowest, float(anomaly_map.min()))
        self._highest = max(self._highest, float(anomaly_map.max()))
        self._pixels += anomaly_map.size
        normal_scores, anomalous_scores = anomaly_map[~anomalous], anomaly_map[anomalous]
        weights = region_weights(anomalous) if len(anomalous_scores) else np.zeros(0)
        if self._histogram is not None:
            self._histogram.add(normal_scores, anomalous_scores, weights)
            return
        self._normal.append(normal_scores)
        self._anomalous.append(anomalous_scores)
        self._weights.append(weights)
        if self._pixels > self._exact_pixels:
            self._start_binning()

    def ranking(self) -> Ranking:
        """Sort what was added so far; more can be added afterwards."""
        if self._histogram is not None:
            return self._histogram.ranking(self._lowest, self._highest)
        normal = np.concatenate(self._normal) if self._normal else np.zeros(0, np.float32)
        normal.sort()
        self._normal = [normal]  # the copies in it are let go
        anomalous = np.concatenate(self._anomalous) if self._anomalous else np.zeros(0, np.float32)
        weights = np.concatenate(self._weights) if self._weights else np.zeros(0)
        order = np.argsort(anomalous, kind="stable")
        return Ranking(
            normal_scores=normal,
            anomalous_scores=anomalous[order],
            anomalous_weights=weights[order],
            lowest=self._lowest,
            highest=self._highest,
        )

    def _start_binning(self) -> None:
        logger.info("more than %d pixels in one class: pixel metrics are binned from here on", self._exact_pixels)
        exact = self.ranking()
        # Half of the edges follow each kind of score: where one kind is dense, the other is often rare.
        edges = [_quantiles(kind, self._bins // 2) for kind in (exact.normal_scores, exact.anomalous_scores)]
        self._histogram = _Histogram(np.unique(np.concatenate(edges)))
        self._histogram.add(exact.normal_scores, exact.anomalous_scores, exact.anomalous_weights)
        self._normal, self._anomalous, self._weights = [], [], []


def _quantiles(ascending: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of the values, at equal distances in rank; none of none."""
    if len(ascending) == 0:
        return ascending
    return ascending[np.linspace(0, len(ascending) - 1, count).astype(np.int64)]


class _Histogram:
    """Counts of pixels between fixed edges; everything below the first edge shares one more bin."""

    def __init__(self, edges: np.ndarray) -> None:
        self._edges = edges  # (K,) ascending; bin k + 1 holds edges[k] <= score < edges[k + 1], bin 0 what is less
        self._normal = np.zeros(len(edges) + 1, np.int64)
        self._anomalous = np.zeros(len(edges) + 1, np.int64)
        self._weights = np.zeros(len(edges) + 1)

    def add(self, normal_scores: np.ndarray, anomalous_scores: np.ndarray, weights: np.ndarray) -> None:
        bins = len(self._normal)
        # Looking the edges up in the sorted scores is several times faster than the other way round.
        below_edges = np.searchsorted(np.sort(normal_scores), self._edges)
        self._normal += np.diff(below_edges, prepend=0, append=len(normal_scores))
        bin_of_anomalous = np.searchsorted(self._edges, anomalous_scores, side="right")
        self._anomalous += np.bincount(bin_of_anomalous, minlength=bins)
        self._weights += np.bincount(bin_of_anomalous, weights, minlength=bins)

    def ranking(self, lowest: float, highest: float) -> Ranking:
        lower_edges = np.append(-np.inf, self._edges)
        has_anomalous = self._anomalous > 0
        return Ranking(
            normal_scores=lower_edges,
            anomalous_scores=lower_edges[has_anomalous],
            anomalous_weights=self._weights[has_anomalous],
            lowest=lowest,
            highest=highest,
            normal_counts=self._normal,
            anomalous_counts=self._anomalous[has_anomalous],
        )
