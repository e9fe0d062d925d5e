"""AU-PRO, the area under the per-region-overlap curve up to a false-positive rate, normalized to 0 .. 1.

The curve (Bergmann et al., "The MVTec 3D-AD Dataset", section 4) shows, for a falling threshold, the mean over all
anomalous regions of the share of the region that is detected, against the share of normal pixels that are false alarms.
"""

from typing import Literal

import numpy as np
import scipy

from pointad.compute.argument_kinds import as_number
from pointad.errors import InputError
from pointad.metrics.pixel_scores import PixelScores
from pointad.metrics.ranking import Ranking, Sweep

AuproMethod = Literal["exact", "published"]

PUBLISHED_THRESHOLDS = 200
DEFAULT_LIMIT = 0.3  # the false-positive rate up to which PointAD and MVTec 3D-AD integrate


def aupro(
    masks: np.ndarray, maps: np.ndarray, limit: float = DEFAULT_LIMIT, method: AuproMethod = "exact"
) -> float | None:
    """AU-PRO of a set of anomaly maps.

    Args:
        masks: (n, H, W), anomalous where above 0.
        maps: (n, H, W), larger is more anomalous.
        limit: the false-positive rate at which integration ends, above 0 and at most 1.
        method: "exact" takes every distinct score as a threshold and interpolates at the limit; "published" repeats
            the procedure behind the published tables (`published_aupro_of`).

    Returns:
        0 .. 1, or None if there is no region, no normal pixel, or (published) fewer than two thresholds below the
        limit.

    Raises:
        InputError: shapes differ, a score is not a number, the limit is out of range, or the method is unknown.
    """
    ranking = PixelScores.of(maps, masks).ranking()
    return aupro_of(ranking, limit, method)


def aupro_of(ranking: Ranking, limit: float = DEFAULT_LIMIT, method: AuproMethod = "exact") -> float | None:
    """AU-PRO of ranked pixels whose weights are `region_weights`; see `aupro`."""
    limit = as_number(limit, "AU-PRO limit")
    if not 0 < limit <= 1:
        raise InputError("AU-PRO limit", f"is {limit}", "give a false-positive rate above 0 and at most 1")
    if method not in ("exact", "published"):
        raise InputError("AU-PRO method", f"is {method!r}", "give 'exact' or 'published'")
    if not ranking.has_both_classes:
        return None
    return exact_aupro_of(ranking, limit) if method == "exact" else published_aupro_of(ranking, limit)


def exact_aupro_of(ranking: Ranking, limit: float) -> float:
    """Integrate the piecewise-linear curve through all thresholds up to the limit, and divide by the limit."""
    false_positive_rate, overlap = pro_polyline(ranking.sweep)
    inside = false_positive_rate <= limit
    at_limit = np.interp(limit, false_positive_rate, overlap)
    rates, heights = np.append(false_positive_rate[inside], limit), np.append(overlap[inside], at_limit)
    return float(scipy.integrate.trapezoid(heights, rates) / limit)


def pro_polyline(sweep: Sweep) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the PRO curve from (0, 0) to (1, 1).

    Between one anomalous score and the next, the false-positive rate grows at constant height; at a score shared with
    normal pixels, both grow at once.

    Returns:
        false-positive rates and overlaps, both (2 T + 2,) ascending.
    """
    corners = np.stack([sweep.false_positives_above, sweep.false_positives], axis=1).ravel() / sweep.normal_count
    heights = np.repeat(np.append(0.0, sweep.overlap), 2)[1:-1]
    return np.concatenate([[0.0], corners, [1.0]]), np.concatenate([[0.0], heights, [1.0]])


def published_aupro_of(ranking: Ranking, limit: float) -> float | None:
    """AU-PRO as computed for PointAD's published tables, for comparison with them.

    There are 200 equally spaced thresholds from the lowest score (the highest is not one of them); a pixel counts if
    it scores strictly more. Thresholds with a false-positive rate of `limit` or more are dropped; the remaining rates
    are rescaled to 0 .. 1 by their minimum and maximum, whatever these are.

    Returns:
        0 .. 1, or None if fewer than two distinct rates lie below the limit.
    """
    thresholds = published_thresholds(ranking)
    false_positive_rate = ranking.normal_above(thresholds) / ranking.normal_count
    overlap = ranking.overlap_above(thresholds)
    below = false_positive_rate < limit
    if not below.any() or np.ptp(false_positive_rate[below]) == 0:
        return None
    reached = false_positive_rate[below]
    rescaled = (reached - np.min(reached)) / np.ptp(reached)
    return float(scipy.integrate.trapezoid(overlap[below][::-1], rescaled[::-1]))


def published_thresholds(ranking: Ranking) -> np.ndarray:
    """Equally spaced scores (200,), ascending from the lowest; the highest score is not one of them."""
    step = (ranking.highest - ranking.lowest) / PUBLISHED_THRESHOLDS
    return ranking.lowest + step * np.arange(PUBLISHED_THRESHOLDS)
