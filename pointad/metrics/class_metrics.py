"""All metrics of one class and one modality, by name: the numbers of one line in a result table."""

import re
from collections.abc import Sequence

import numpy as np

from pointad.errors import InputError
from pointad.metrics.aupro import DEFAULT_LIMIT, AuproMethod, aupro_of
from pointad.metrics.error_bounds import (
    aupro_error_bound,
    auroc_error_bound,
    average_precision_error_bound,
    f1_max_error_bound,
    published_aupro_error_bound,
)
from pointad.metrics.pixel_scores import PixelScores
from pointad.metrics.ranking import Ranking, rank
from pointad.metrics.threshold_free import auroc_of, average_precision_of, f1_max_of

PUBLISHED_METRICS = ("image_auroc", "image_ap", "pixel_auroc", "pixel_aupro")
"""The four metrics in PointAD's tables."""

ALL_METRICS = (
    "image_auroc",
    "image_ap",
    "image_f1_max",
    "pixel_auroc",
    "pixel_ap",
    "pixel_f1_max",
    "pixel_aupro",
    "pixel_aupro_0.01",
    "pixel_aupro_0.05",
    "pixel_aupro_0.1",
)
"""The same with average precision and F1-max, and AU-PRO at the smaller limits reported for MVTec 3D-AD."""

_AUPRO_NAME = re.compile(r"aupro(?:_(0\.\d+|1))?")


def metric_names(level: str, *, aupro: bool = True, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """The metrics of a level of `--metrics`.

    Args:
        level: "image-level", "pixel-level" or "image-pixel-level".
        aupro: whether the data set reports AU-PRO.
        extra: further metrics, named as in `ALL_METRICS`.

    Raises:
        InputError: an unknown level or metric.
    """
    levels = {"image-level": ("image_",), "pixel-level": ("pixel_",), "image-pixel-level": ("image_", "pixel_")}
    if level not in levels:
        raise InputError("metrics", f"unknown level {level!r}", f"choose from {', '.join(levels)}")
    names = [name for name in PUBLISHED_METRICS if name.startswith(levels[level]) and (aupro or "aupro" not in name)]
    for name in extra:
        _check_name(name)
    return tuple(dict.fromkeys([*names, *extra]))


def class_metrics(
    labels: np.ndarray,
    scores: np.ndarray,
    masks: np.ndarray | None = None,
    maps: np.ndarray | None = None,
    metrics: Sequence[str] = PUBLISHED_METRICS,
    aupro: AuproMethod = "exact",
) -> dict[str, float | None]:
    """Compute the metrics of one class and modality.

    Args:
        labels: (n,), anomalous where above 0.
        scores: (n,) sample scores; larger is more anomalous.
        masks: (n, H, W), anomalous where above 0; only needed for pixel metrics.
        maps: (n, H, W) anomaly maps; only needed for pixel metrics.
        metrics: names from `ALL_METRICS`; `pixel_aupro_<limit>` takes any limit.
        aupro: "exact" or "published", see `pointad.metrics.aupro`.

    Returns:
        each metric by its name, in the order requested, as a fraction 0 .. 1; None if it is undefined.

    Raises:
        InputError: an unknown metric, shapes that differ, a score that is not a number, pixel metrics without maps.
    """
    values = image_metrics(labels, scores, [name for name in metrics if name.startswith("image_")])
    pixel_names = [name for name in metrics if not name.startswith("image_")]
    if pixel_names:
        if masks is None or maps is None:
            raise InputError("pixel metrics", "need maps and masks", "give both, or request image metrics only")
        if len(maps) != np.size(labels):
            raise InputError("maps and labels", f"are {len(maps)} and {np.size(labels)}", "give one map for each label")
        values |= pixel_metrics(PixelScores.of(maps, masks), pixel_names, aupro)
    return {name: values[name] for name in metrics}


def image_metrics(
    labels: np.ndarray, scores: np.ndarray, metrics: Sequence[str] = ("image_auroc", "image_ap")
) -> dict[str, float | None]:
    """The metrics of sample scores (n,) against labels (n,); see `class_metrics`."""
    ranking = rank(labels, scores)
    return {name: _value(ranking, name, "image_", "exact") for name in metrics}


def pixel_metrics(
    pixel_scores: PixelScores,
    metrics: Sequence[str] = ("pixel_auroc", "pixel_aupro"),
    aupro: AuproMethod = "exact",
) -> dict[str, float | None]:
    """The metrics of pixel scores that were collected sample by sample; see `class_metrics`."""
    ranking = pixel_scores.ranking()
    return {name: _value(ranking, name, "pixel_", aupro) for name in metrics}


def pixel_error_bounds(
    pixel_scores: PixelScores,
    metrics: Sequence[str] = ("pixel_auroc", "pixel_aupro"),
    aupro: AuproMethod = "exact",
) -> dict[str, float | None]:
    """Bounds on the error of `pixel_metrics`, as fractions.

    Returns:
        each metric by its name, None if no bound is known; empty if the scores were not binned, so all are exact.
    """
    if not pixel_scores.is_binned:
        return {}
    ranking = pixel_scores.ranking()
    return {name: _error_bound(ranking, name, aupro) for name in metrics}


def _error_bound(ranking: Ranking, name: str, aupro: AuproMethod) -> float | None:
    _check_name(name)
    metric = name.removeprefix("pixel_")
    if metric == "auroc":
        return auroc_error_bound(ranking)
    if metric == "ap":
        return average_precision_error_bound(ranking)
    if metric == "f1_max":
        return f1_max_error_bound(ranking)
    bound = aupro_error_bound if aupro == "exact" else published_aupro_error_bound
    return bound(ranking, _limit(metric))


def _limit(metric: str) -> float:
    limit = metric.partition("_")[2]
    return float(limit) if limit else DEFAULT_LIMIT


def _value(ranking: Ranking, name: str, level: str, aupro: AuproMethod) -> float | None:
    _check_name(name)
    metric = name.removeprefix(level)
    if metric == "auroc":
        return auroc_of(ranking)
    if metric == "ap":
        return average_precision_of(ranking)
    if metric == "f1_max":
        return f1_max_of(ranking)
    return aupro_of(ranking, _limit(metric), aupro)


def _check_name(name: str) -> None:
    level, _, metric = name.partition("_")
    at_any_level = level in ("image", "pixel") and metric in ("auroc", "ap", "f1_max")
    known = at_any_level or (level == "pixel" and _AUPRO_NAME.fullmatch(metric) is not None)
    if not known:
        raise InputError(f"metric {name!r}", "is not known", f"choose from {', '.join(ALL_METRICS)}")
