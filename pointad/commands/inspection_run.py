"""A run of scripts/predict.py: every scan is read, inspected and written."""

import logging
import sys
import time
from pathlib import Path

import numpy as np

from pointad.commands.detector import load_detector
from pointad.commands.predict_outputs import FAIL, describe, write_facts, write_inspection
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import EXIT_ERROR, is_unicode
from pointad.commands.scan_search import find_scans, output_folders
from pointad.datasets.archive import picture_beside
from pointad.errors import InputError, PointADError
from pointad.files.escaping import for_json_line
from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import Inspection, inspect_file

logger = logging.getLogger(__name__)

EXIT_FAIL = 1
NAMED_PARTS = 3  # of a path, in titles: many data sets call all their files 000, 001, ...


def inspect_all(settings: PredictSettings) -> int:
    """Inspect every scan; one that cannot be inspected does not stop the others. Returns the exit code."""
    detector = load_detector(settings.detector)
    threshold = calibrated_threshold(detector, settings) if settings.good_scans else settings.threshold
    scans = list(find_scans(settings.scans, settings.output))
    failed = broken = 0
    for path, folder in zip(scans, output_folders(scans, settings.output), strict=True):
        facts = inspect_and_write(detector, path, folder, threshold, settings)
        print(for_json_line(facts, ascii_only=not is_unicode(sys.stdout)), flush=True)
        broken += "error" in facts
        failed += facts.get("verdict") == FAIL
    logger.info("%d scans: %d failed, %d could not be inspected", len(scans), failed, broken)
    return EXIT_ERROR if broken else EXIT_FAIL if failed else 0


def inspect_and_write(
    detector: PointAD, path: Path, folder: Path, threshold: float | None, settings: PredictSettings
) -> dict:
    """Inspect one scan and write its outputs; its facts, or what went wrong."""
    try:
        inspection = _inspect(detector, path, settings)
        started = time.perf_counter()
        write_inspection(folder, inspection, threshold, html=settings.html, heat_range=settings.heat_range)
        inspection.timings["write"] = time.perf_counter() - started
        facts = {"file": str(path), **describe(inspection, threshold), "output": str(folder)}
        write_facts(folder, {**facts, "backbone": detector.backbone_name, "demo": detector.is_demo})
        return facts
    except PointADError as error:
        logger.error("error: %s", error)
        return {"file": str(path), "error": str(error)}
    except Exception as error:  # a fault of the program on one scan must not stop a production line either
        logger.exception("%s", path)
        return {"file": str(path), "error": f"{type(error).__name__}: {error}"}


def calibrated_threshold(detector: PointAD, settings: PredictSettings) -> float:
    """A quantile of the scores of good scans, all of which must be readable.

    Raises:
        InputError: there are no good scans, or one cannot be inspected.
    """
    good = list(find_scans(settings.good_scans, settings.output))
    scores = [_inspect(detector, path, settings).prediction.score for path in good]
    threshold = float(np.quantile(scores, settings.quantile, method="higher"))
    logger.info(
        "threshold %.6g: quantile %g of the scores of %d good scans (%.6g to %.6g)",
        threshold,
        settings.quantile,
        len(scores),
        min(scores),
        max(scores),
    )
    return threshold


def find_picture(scan: Path, rgb: Path | None) -> Path | None:
    """The RGB picture of a scan: the file that was named, or the one called like the scan in the folder named.

    Raises:
        InputError: the folder has no such picture.
    """
    if rgb is None or not rgb.is_dir():
        return rgb
    found = picture_beside(rgb, scan.stem)
    if found is not None:
        return found
    raise InputError(rgb, f"has no picture called {scan.stem}", "name a folder with a picture for every scan")


def _inspect(detector: PointAD, path: Path, settings: PredictSettings) -> Inspection:
    return inspect_file(
        detector,
        path,
        find_picture(path, settings.rgb),
        name="/".join(path.parts[-NAMED_PARTS:]),
        region_threshold=settings.region_threshold,
        options={
            "rig": settings.rig,
            "sigma": settings.sigma,
            "remove_table": settings.remove_table,
            "metres_per_unit": settings.metres_per_unit,
            "keep_clusters": settings.keep_clusters,
            "seed": settings.seed,
        },
    )
