"""Pixel scores of a class, collected sample by sample in bounded memory."""

import logging

import numpy as np

from pointad.compute.argument_kinds import as_whole_number
from pointad.errors import InputError
from pointad.metrics.ranking import Ranking, check_scores, is_anomalous, real_numbers
from pointad.metrics.regions import region_weights, shares_of_regions
from pointad.metrics.score_cells import ScoreCells

EXACT_PIXELS = 2**25  # 33.5 million, 297 maps of 336 x 336: 134 MB of float32
BINS = 2**20  # beyond that: 50 MB of counts

logger = logging.getLogger(__name__)


class PixelScores:
    """The scores of normal and anomalous pixels, and the weight of each anomalous pixel in its region.

    Up to `exact_pixels` pixels every score is kept and every metric is exact. Beyond that, neighbouring scores share a
    bin (`ScoreCells`), so memory no longer grows. The bins depend on which scores were added but not on their order,
    and `pointad.metrics.error_bounds` bounds the error of each metric.
    """

    def __init__(self, exact_pixels: int = EXACT_PIXELS, bins: int = BINS) -> None:
        """Start empty.

        Args:
            exact_pixels: how many pixels are kept before binning starts.
            bins: the maximum number of bins; of scores below and above 0 there are at least two.

        Raises:
            InputError: one is no whole number.
        """
        self._exact_pixels = as_whole_number(exact_pixels, "exact_pixels")
        self._bins = as_whole_number(bins, "bins")
        self._normal: list[np.ndarray] = []
        self._anomalous: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._pixels = 0
        self._lowest = np.inf
        self._highest = -np.inf
        self._cells: ScoreCells | None = None

    @classmethod
    def of(cls, maps: np.ndarray, masks: np.ndarray, **options: int) -> "PixelScores":
        """Collect maps (n, H, W) and masks (n, H, W) at once; options as in the constructor, errors as in `add`."""
        if len(maps) != len(masks):
            raise InputError("maps and masks", f"are {len(maps)} and {len(masks)}", "give one mask per map")
        scores = cls(**options)
        for anomaly_map, mask in zip(maps, masks, strict=True):
            scores.add(anomaly_map, mask)
        return scores

    def add(self, anomaly_map: np.ndarray, mask: np.ndarray, regions: np.ndarray | None = None) -> None:
        """Add one sample.

        Args:
            anomaly_map: (H, W), larger is more anomalous.
            mask: (H, W), anomalous where above 0.
            regions: (H, W) integers, the region number of each anomalous position, for data in which adjacent
                positions are not neighbours (`cloud_regions`); None: regions are the mask's connected components.

        Raises:
            InputError: the shapes differ, a score is not a number, or the regions are no whole numbers; nothing is
                added then.
        """
        anomaly_map, anomalous = real_numbers(anomaly_map, "anomaly maps"), is_anomalous(mask, "masks")
        if anomaly_map.shape != anomalous.shape or anomaly_map.ndim != 2:
            raise InputError(
                "map and mask", f"have shapes {anomaly_map.shape} and {anomalous.shape}", "give two of shape (H, W)"
            )
        if regions is not None:
            regions = real_numbers(regions, "regions")
            if regions.shape != anomalous.shape or regions.dtype.kind not in "iu":
                problem = f"are {regions.dtype} of shape {regions.shape}"
                raise InputError("regions", problem, f"give whole numbers of shape {anomalous.shape}")
        if anomaly_map.size == 0:
            return
        check_scores(anomaly_map)
        self._lowest = min(self._lowest, float(anomaly_map.min()))
        self._highest = max(self._highest, float(anomaly_map.max()))
        self._pixels += anomaly_map.size
        normal_scores, anomalous_scores = anomaly_map[~anomalous], anomaly_map[anomalous]
        if not len(anomalous_scores):
            weights = np.zeros(0)
        else:
            weights = region_weights(anomalous) if regions is None else shares_of_regions(regions[anomalous])
        if self._cells is not None:
            self._cells.add(normal_scores, anomalous_scores, weights)
            return
        self._normal.append(normal_scores)
        self._anomalous.append(anomalous_scores)
        self._weights.append(weights)
        if self._pixels > self._exact_pixels:
            self._start_binning()

    @property
    def is_binned(self) -> bool:
        """Whether there were too many pixels to keep every score."""
        return self._cells is not None

    def ranking(self) -> Ranking:
        """Sort what was added so far; more can be added afterwards."""
        if self._cells is not None:
            return self._cells.ranking(self._lowest, self._highest)
        normal = np.concatenate(self._normal) if self._normal else np.zeros(0, np.float32)
        normal.sort()
        self._normal = [normal]  # frees the parts
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
        self._cells = ScoreCells(self._bins)
        self._normal.reverse()  # so that they can be freed one by one from the end
        while self._normal:
            self._cells.add(self._normal.pop(), np.zeros(0), np.zeros(0))
        for anomalous_scores, weights in zip(self._anomalous, self._weights, strict=True):
            self._cells.add(np.zeros(0), anomalous_scores, weights)
        self._anomalous, self._weights = [], []
