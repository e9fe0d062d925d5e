"""Masks of a raw data set that belong to no scan, as after an incomplete download, or to several."""

import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from pointad.datasets.archive import PICTURE_SUFFIXES, is_hidden
from pointad.datasets.base import DatasetSpecification
from pointad.errors import counted
from pointad.files.presence import identity_of
from pointad.scans.point_cloud import RawSample

logger = logging.getLogger(__name__)

_TRUTH_SUFFIXES = (*PICTURE_SUFFIXES, ".txt", ".npy")
_FOLDERS_OF_KINDS = {"gt", "ground_truth", "xyz"}  # a scan and its mask lie in different ones of these


def tell_of_doubtful_masks(
    samples: Sequence[RawSample],
    dataset: DatasetSpecification,
    root: Path,
    split: str,
    classes: Collection[str] | None = None,
) -> None:
    """Log how many masks belong to no listed sample, to several anomalous ones, or to good ones of which none is read.

    Scans that are listed several times are logged, too.

    Args:
        samples: all samples of some classes.
        dataset: which names the places of masks.
        root: the archive's folder.
        split: that of the samples.
        classes: if only some classes are listed, these.
    """
    tell_of_repeated((sample.class_name, sample.scan_path) for sample in samples)
    pairs = {(sample.mask_path, sample.scan_path) for sample in samples if sample.label}
    masks = Counter(mask for mask, _ in pairs if mask is not None)
    shared = [path for path, count in masks.items() if count > 1]
    if shared:
        message = "%d masks are each shared by several scans, such as %s by %d"
        logger.warning(message, len(shared), shared[0], masks[shared[0]])
    known = {
        os.path.normpath(path)
        for sample in samples
        for path in (sample.scan_path, sample.rgb_path, sample.mask_path)
        if path is not None
    }
    # MulSen-AD marks defects that other sensors see, too; their scans are listed under longer names.
    good = {sample.scan_path for sample in samples if not sample.label and sample.identifier == sample.scan_path.stem}
    scanned = {_key(sample.scan_path, root, split): sample.scan_path in good for sample in samples}
    wanted = None if classes is None else set(classes)
    unread = [
        (path, scanned.get(_key(path, root, split)))
        for pattern in dataset.truth_patterns
        for path in sorted(root.glob(pattern.replace("{split}", split)))
        if path.suffix.lower() in _TRUTH_SUFFIXES
        and not is_hidden(path)
        and os.path.normpath(path) not in known
        and (wanted is None or not wanted.isdisjoint(path.relative_to(root).parts))
    ]
    of_good = [path for path, is_good in unread if is_good]
    if of_good:
        message = "%d masks of scans that count as good are not read, such as %s: nothing of these is anomalous"
        logger.warning(message, len(of_good), of_good[0])
    without = [path for path, is_good in unread if is_good is None]
    if without:
        message = "%d masks belong to no scan, such as %s; if scans are missing, they are not part of the data set"
        logger.warning(message, len(without), without[0])


def tell_of_repeated(scans: Iterable[tuple[str, Path]]) -> None:
    """Log how many scans are there under several names of one class, as links make them.

    Args:
        scans: classes, and what is read.
    """
    found: dict[object, list[Path]] = {}
    for class_name, path in scans:
        found.setdefault((class_name, identity_of(path)), []).append(path)
    repeated = [paths for paths in found.values() if len(paths) > 1]
    if repeated:
        message = "listed several times in one class, and counted each time: %s, such as %s"
        logger.warning(message, counted(len(repeated), "scan"), " and ".join(map(str, dict.fromkeys(repeated[0]))))


def _key(path: Path, root: Path, split: str) -> tuple[str, ...]:
    """What a scan and its mask have in common: the folders that name class and defect, and the stem."""
    folders = path.relative_to(root).parent.parts if path.is_relative_to(root) else path.parent.parts
    stem = path.stem.removesuffix("_mask").removesuffix("_depth")
    return (*(name for name in folders if name != split and name.lower() not in _FOLDERS_OF_KINDS), stem)
