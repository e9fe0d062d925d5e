"""Good scans named on the command line, to the reference that scans are compared with."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from pointad.commands.scan_pictures import check_pictures, find_picture
from pointad.commands.scan_search import twin_of
from pointad.commands.told_readings import Readings
from pointad.errors import InputError, counted
from pointad.files.atomic import require_writable
from pointad.files.digests import add_content, file_digest
from pointad.files.pictures import read_picture
from pointad.files.presence import is_file
from pointad.inspection.predictor import PointAD
from pointad.reference.likeness import Likeness
from pointad.reference.reference import SUFFIX, Reference
from pointad.reference.setting import FORMAT
from pointad.scans.files import read_scan

logger = logging.getLogger(__name__)

KNOWN_BY = "likeness, reading"  # of the good scans, in the references that are cached
ORGANIZED = 3  # dimensions of the points of a scan with a pixel grid


@dataclass(frozen=True)
class GoodScans:
    """Files of good scans, and where the RGB pictures of those with a pixel grid are."""

    files: Sequence[Path]
    rgb: Path | None = None  # a folder with a picture for each, or a picture; None: the files' own colours

    @property
    def pictures(self) -> list[Path | None]:
        """The picture of each.

        Raises:
            InputError: one has none in the folder, or two would share one.
        """
        check_pictures(self.files, self.rgb)
        return [find_picture(path, self.rgb) for path in self.files]


def make_reference(detector: PointAD, good: GoodScans, options: Mapping[str, Any]) -> Reference:
    """Look at good scans, read one after another.

    Args:
        detector: the loaded model.
        good: the scans.
        options: further arguments of `PointAD.make_reference`.

    Raises:
        InputError: a file cannot be read, or does not match the others.
    """
    logger.info("processing %s", counted(len(good.files), "good scan"))
    pairs = list(zip(good.files, good.pictures, strict=True))
    readings = Readings()
    scans, pictures = tee(
        _read(path, picture, readings) for path, picture in pairs
    )  # taken in turns: one scan waits at a time
    reference = detector.make_reference(
        (points for points, _ in scans),
        pictures=(picture for _, picture in pictures),
        names=[str(path) for path in good.files],
        **options,
    )
    readings.tell()
    readings.warn_of_differences()
    logger.info("reference of %s: %.1f MB", counted(len(good.files), "good scan"), reference.nbytes / 1e6)
    manners = readings.manners
    return replace(
        reference,
        contents=tuple(map(content_of, good.files)),
        readings=tuple((path.suffix.lower(), manners[path]) for path in good.files),
    )


def _read(path: Path, picture: Path | None, readings: Readings) -> tuple[np.ndarray, np.ndarray | None]:
    """The points of a scan, and its RGB picture or its own colours if it has a pixel grid."""
    scan = read_scan(path)
    readings.add(path, scan.manner)
    if picture is not None:
        return scan.points, read_picture(picture, "RGB")
    return scan.points, scan.colors if scan.points.ndim == ORGANIZED else None


def cached_reference(detector: PointAD, good: GoodScans, options: Mapping[str, Any], folder: Path) -> Reference:
    """The same; a reference made earlier from the same files in the same way is read from a folder.

    Raises:
        InputError: as `make_reference`, or the folder cannot be written to.
    """
    path = folder / f"{_key(detector, good, options)}{SUFFIX}"
    if path.is_file():
        contents = tuple(map(content_of, good.files))
        try:
            reference = Reference.load(path)
        except InputError as error:
            logger.warning("%s", error)
        else:
            if reference.contents == contents:
                logger.info("reference of %s, cached in %s", counted(len(good.files), "good scan"), path)
                return replace(reference, names=tuple(map(str, good.files)))  # they may lie elsewhere now
            logger.warning("%s: was made from other good scans, and is made again", path)
    require_writable(path)
    reference = make_reference(detector, good, options)
    reference.save(path)
    return reference


def content_of(path: Path) -> str:
    """SHA-256 of a file's content.

    Raises:
        InputError: it cannot be read.
    """
    return file_digest(path).hex()


def is_among_good(path: Path, reference: Reference | None, likeness: Likeness | None = None) -> bool:
    """Whether a scan is one of the good scans of a reference, by their content, wherever they lie now.

    Args:
        path: of the scan.
        reference: of the good scans.
        likeness: of the scan, which tells copies in other formats, and scans of which only the pictures differ; None:
            it is not known yet.
    """
    if reference is None:
        return False
    if likeness is not None and reference.likenesses:
        return reference.copied(likeness) is not None
    if twin_of(path, reference.names) is not None:
        return True
    if not reference.contents or not is_file(path):
        return False
    try:
        return content_of(path) in reference.contents
    except InputError:  # whoever reads it says so
        return False


def _key(detector: PointAD, good: GoodScans, options: Mapping[str, Any]) -> str:
    """SHA-256 of the files' content and of everything that they are looked at with."""
    digest = hashlib.sha256(
        json.dumps([FORMAT, KNOWN_BY, detector.fingerprint, dict(options)], sort_keys=True, default=repr).encode()
    )
    for path in [*good.files, *(picture for picture in good.pictures if picture is not None)]:
        add_content(digest, path)
        digest.update(path.suffix.lower().encode())
    return digest.hexdigest()[:32]
