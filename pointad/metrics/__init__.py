"""Metrics for anomaly detection: image and pixel AUROC, average precision, F1-max and AU-PRO, exact and fast.

Everything is computed from one sort of the normal scores (`ranking.py`). A metric that is undefined, because one of
the two classes has no sample, is `None`.
"""

from pointad.metrics.aupro import aupro
from pointad.metrics.class_metrics import (
    ALL_METRICS,
    PUBLISHED_METRICS,
    class_metrics,
    image_metrics,
    metric_names,
    pixel_error_bounds,
    pixel_metrics,
)
from pointad.metrics.curves import curves
from pointad.metrics.pixel_scores import PixelScores
from pointad.metrics.threshold_free import auroc, average_precision, f1_max

__all__ = [
    "ALL_METRICS",
    "PUBLISHED_METRICS",
    "PixelScores",
    "aupro",
    "auroc",
    "average_precision",
    "class_metrics",
    "curves",
    "f1_max",
    "image_metrics",
    "metric_names",
    "pixel_error_bounds",
    "pixel_metrics",
]
