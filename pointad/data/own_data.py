"""Inspects custom data: whether the scans have a pixel grid, and pictures."""

import logging
from dataclasses import replace
from pathlib import Path

from pointad.data.layout import STORED
from pointad.data.metadata import read_metadata
from pointad.data.raw import samples_as_found
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PreparedSample

logger = logging.getLogger(__name__)

SPLIT_THEM = "split them into two data sets"


def settled(dataset: DatasetSpecification, root: str | Path, render: str = STORED) -> DatasetSpecification:
    """Complete the specification of a custom data set from its files: grid or not, which rig, pictures or not.

    Args:
        dataset: as registered; returned unchanged unless it is an open one.
        root: its folder.
        render: as in `list_dataset`.

    Raises:
        InputError: the folder or its JSON files are missing or unreadable.
    """
    if not dataset.is_open:
        return dataset
    first = None
    if render == STORED:
        records = read_metadata(root)
        organized = [record.mask_path is not None and record.mask_path.suffix != ".pcd" for record in records]
        pictures = [record.rgb_path for record in records]
    else:
        samples = samples_as_found(dataset, root)
        first = samples[0].scan_path  # reading all would take as long as testing; see `check_kind`
        organized = [read_scan(first).is_organized]
        pictures = [sample.rgb_path for sample in samples]
    if len(set(organized)) > 1:
        raise InputError(root, "has scans with and without a pixel grid", SPLIT_THEM)
    has_color = bool(pictures) and all(pictures)
    if not has_color and any(pictures):
        logger.warning("%s: only some samples have a picture; pictures are ignored", root)
    rig = dataset.organized_rig if any(organized) and dataset.organized_rig is not None else dataset.rig
    return replace(dataset, organized=any(organized), has_color=has_color, rig=rig, settled_by=first)


def check_kind(dataset: DatasetSpecification, prepared: PreparedSample, scan: Path) -> None:
    """Refuse a scan that is rendered on the fly and of another kind than the one that settled its data set.

    Args:
        dataset: from `settled`; one that is not open may hold anything.
        prepared: the scan as it was read.
        scan: its file.

    Raises:
        InputError: only one of the two scans has a pixel grid.
    """
    has_grid = prepared.xyz is not None
    if dataset.settled_by is None or has_grid == dataset.organized:
        return
    this, other = ("a", "none") if has_grid else ("no", "one")
    raise InputError(scan, f"has {this} pixel grid, but {dataset.settled_by} has {other}", SPLIT_THEM)
