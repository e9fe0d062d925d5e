"""Good scans named on the command line, to the reference that scans are compared with."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pointad.commands.predict_settings import PredictSettings
from pointad.commands.reference_settings import ReferenceSettings
from pointad.errors import InputError
from pointad.inspection.predictor import PointAD
from pointad.reference.reference import SUFFIX, Reference
from pointad.scans.files import read_scan

logger = logging.getLogger(__name__)

BLOCK = 2**20  # bytes that are read at once


def look_options(settings: PredictSettings | ReferenceSettings) -> dict[str, Any]:
    """How scans are looked at, as arguments of `PointAD.predict` and `PointAD.make_reference`."""
    return {
        "rig": settings.rig,
        "sigma": settings.sigma,
        "remove_table": settings.remove_table,
        "metres_per_unit": settings.metres_per_unit,
        "keep_clusters": settings.keep_clusters,
        "seed": settings.seed,
    }


def make_reference(detector: PointAD, good: Sequence[Path], options: Mapping[str, Any]) -> Reference:
    """Look at good scans, read one after another.

    Args:
        detector: the loaded model.
        good: files of scans.
        options: further arguments of `PointAD.make_reference`.

    Raises:
        InputError: a file cannot be read, or does not match the others.
    """
    logger.info("comparing %d good scans with one another", len(good))
    reference = detector.make_reference(
        (read_scan(path).points for path in good), names=[str(p) for p in good], **options
    )
    logger.info("reference of %d good scans: %.1f MB", len(good), reference.nbytes / 1e6)
    return reference


def cached_reference(detector: PointAD, good: Sequence[Path], options: Mapping[str, Any], folder: Path) -> Reference:
    """The same; a reference made earlier from the same files in the same way is read from a folder.

    Raises:
        InputError: as `make_reference`, or the folder cannot be written to.
    """
    path = folder / f"{_key(detector, good, options)}{SUFFIX}"
    if path.is_file():
        try:
            reference = Reference.load(path)
        except InputError as error:
            logger.warning("%s", error)
        else:
            logger.info("reference of %d good scans, cached in %s", len(good), path)
            return reference
    reference = make_reference(detector, good, options)
    reference.save(path)
    return reference


def _key(detector: PointAD, good: Sequence[Path], options: Mapping[str, Any]) -> str:
    """SHA-256 of the files' content and of everything that they are looked at with."""
    digest = hashlib.sha256(json.dumps([detector.fingerprint, dict(options)], sort_keys=True).encode())
    for path in good:
        try:
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        except OSError as error:
            raise InputError(path, f"cannot be read ({error.strerror or error})", "give a readable file") from error
        digest.update(path.suffix.lower().encode())
    return digest.hexdigest()[:32]
