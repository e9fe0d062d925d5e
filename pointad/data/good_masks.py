"""Masks that mark something in good samples: the label counts, so they are named in the log and mark nothing.

A good sample has an empty mask, in the views as on the points. With a mask that contradicts the label, the
losses on the views would otherwise learn it as partly anomalous, those on the points as normal.
"""

import dataclasses
import logging
from pathlib import Path
from typing import Protocol

import numpy as np

from pointad.data import rendered_files
from pointad.data.sample_source import SampleSource
from pointad.errors import InputError
from pointad.files.presence import is_file
from pointad.scans.point_cloud import PreparedSample, RawSample

logger = logging.getLogger(__name__)

_CONTRADICTED = (
    "%s marks %s of %s/%s/%s, which counts as good: the mask is ignored; file the sample under its defect, or "
    "empty the mask"
)
_ON_IMAGE = 2  # dimensions of a mask that is an image


class RenderedFiles(SampleSource, Protocol):
    """Where the ground truth of a rendered sample lies."""

    @property
    def mask_path(self) -> Path | None: ...
    @property
    def views_gt_folder(self) -> Path: ...


def without_marks(sample: RawSample, prepared: PreparedSample) -> PreparedSample:
    """The same sample if nothing is marked; otherwise without the marks, which is logged.

    Args:
        sample: a good one.
        prepared: what was read of it.
    """
    mask, labels = prepared.mask, prepared.point_cloud.labels
    if not any(marks is not None and marks.any() for marks in (mask, labels)):
        return prepared
    marked = _counted(mask if mask is not None and mask.any() else labels)
    _tell(sample, sample.mask_path or sample.scan_path, marked)
    cloud = dataclasses.replace(prepared.point_cloud, labels=None if labels is None else np.zeros_like(labels))
    return dataclasses.replace(prepared, point_cloud=cloud, mask=None if mask is None else np.zeros_like(mask))


def without_view_marks(record: RenderedFiles, views_gt: np.ndarray | None) -> np.ndarray | None:
    """The ground truth of a good sample's views without marks; marks in it or in the sample's mask are logged.

    Args:
        record: of a good sample in a rendered data set; its mask may be missing.
        views_gt: (V, S, S) uint8; None if the views are not learned from.
    """
    try:
        mask = rendered_files.read_mask(record.mask_path) if record.mask_path and is_file(record.mask_path) else None
    except InputError as error:
        logger.warning("%s; it is ignored, as the sample counts as good", error)
        mask = None
    marked_views = views_gt is not None and bool((views_gt > 0).any())
    if mask is not None and mask.any():
        _tell(record, record.mask_path, _counted(mask))
    elif views_gt is not None and marked_views:
        _tell(record, record.views_gt_folder, f"{np.count_nonzero(views_gt)} pixels")
    return np.zeros_like(views_gt) if views_gt is not None and marked_views else views_gt


def _counted(marks: np.ndarray | None) -> str:
    assert marks is not None
    return f"{np.count_nonzero(marks)} {'pixels' if marks.ndim == _ON_IMAGE else 'points'}"


def _tell(sample: SampleSource, path: object, marked: str) -> None:
    logger.warning(_CONTRADICTED, path, marked, sample.class_name, sample.species, sample.identifier)
