"""Finds renderings that no longer agree with the raw data set that they were made from."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from pointad.data.layout import SampleFiles
from pointad.data.metadata import SampleRecord
from pointad.scans.point_cloud import RawSample


def is_outdated(sample: RawSample, files: SampleFiles) -> bool:
    """Whether a file of a raw sample has changed since the sample was rendered, by the dates of the files."""
    sources = (sample.scan_path, sample.rgb_path, sample.mask_path)
    try:
        rendered = files.views.stat().st_mtime
    except OSError:
        return False
    return any(_changed(path) > rendered for path in sources if path is not None)


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
