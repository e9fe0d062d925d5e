"""Finds renderings that no longer agree with the raw data set that they were made from."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from pointad.data.layout import SampleFiles
from pointad.data.metadata import SampleRecord
from pointad.scans.pcd import note_of_pcd
from pointad.scans.point_cloud import RawSample

_LONGEST = 4_000  # characters of names that are written out; readers of PCD files may not expect longer lines


def is_outdated(sample: RawSample, files: SampleFiles) -> bool:
    """Whether a raw sample has changed since it was rendered: by the dates of its files, or as it has others now."""
    note = note_of_pcd(files.labelled_point_cloud)  # renderings of older versions have none
    if note is not None and note != sources_of(sample):
        return True
    sources = (sample.scan_path, sample.rgb_path, sample.mask_path)
    try:
        rendered = files.views.stat().st_mtime
    except OSError:
        return False
    return any(_changed(path) > rendered for path in sources if path is not None)


def sources_of(sample: RawSample) -> str:
    """The names of a sample's scan, and of its picture and its mask as seen from there, as a short line of ASCII."""
    others = (sample.rgb_path, sample.mask_path)
    beside = [None if path is None else os.path.relpath(path, sample.scan_path.parent) for path in others]
    names = json.dumps(["rendered from", sample.scan_path.name, *beside])
    return names if len(names) <= _LONGEST else hashlib.sha256(names.encode()).hexdigest()


def left_behind(samples: Sequence[RawSample], listed: Iterable[SampleRecord]) -> list[SampleRecord]:
    """The listed samples of these classes that are no samples of the raw data set (any more).

    Args:
        samples: all test samples of some classes.
        listed: those of a rendered data set.
    """
    classes = {sample.class_name for sample in samples}
    known = {(sample.class_name, sample.species, sample.identifier) for sample in samples}
    return [
        record
        for record in listed
        if record.class_name in classes and (record.class_name, record.species, record.identifier) not in known
    ]


def _changed(path: Path) -> float:
    """When a file was last changed; 0 if there is none. One dated in the future was when its entry was."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime if status.st_mtime <= time.time() else status.st_ctime
    return 0.0
