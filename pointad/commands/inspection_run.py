"""A run of scripts/predict.py: every scan is read, inspected and written."""

import contextlib
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pointad.commands.detector import load_detector
from pointad.commands.named_inputs import refuse_overwriting
from pointad.commands.predict_outputs import (
    FILES,
    compared_with,
    describe,
    remove_outputs,
    write_facts,
    write_inspection,
)
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import EXIT_ERROR, is_unicode
from pointad.commands.references import GoodScans, cached_reference, is_among_good
from pointad.commands.scan_pictures import check_pictures, find_picture
from pointad.commands.scan_search import IS_GOOD, find_scans, output_folders, twin_of
from pointad.commands.shortages import failure_of
from pointad.commands.told_readings import Readings
from pointad.commands.verdicts import FAIL, Verdicts, judged_by_quantile, judged_by_rate, log_realised_rate
from pointad.errors import InputError, counted
from pointad.files.atomic import require_folder_place
from pointad.files.escaping import for_json_line
from pointad.files.locks import wait_for_lock
from pointad.files.regular import refuse_leaving
from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import Inspection, inspect_file
from pointad.reference.conformal import require_enough
from pointad.reference.likeness import Likeness, first_twin
from pointad.reference.reference import Reference

logger = logging.getLogger(__name__)

EXIT_FAIL = 1
WRITING = ".writing.lock"  # runs that share a folder must not mix their results of two scans of one name
DEMO_WORDS = " These are DEMO weights, whose scores are meaningless for real data."
NAMED_PARTS = 3  # of a path, in titles: many data sets call all their files 000, 001, ...


@dataclass(frozen=True)
class FoundScans:
    """The files that a run works with, listed once: what appears in a folder later is not looked at."""

    scans: Sequence[Path]
    calibration: Sequence[Path]  # good scans whose scores decide on the threshold
    compared_with: Sequence[Path]  # good scans that each scan is compared with

    @classmethod
    def of(cls, settings: PredictSettings) -> "FoundScans":
        """Those in the files and folders that were named.

        Raises:
            InputError: a folder holds no scan, or one cannot be searched.
        """
        named = (settings.scans, settings.good_scans, settings.compared_with)
        return cls(*(find_scans(paths, settings.output) for paths in named))


def inspect_all(settings: PredictSettings) -> int:
    """Inspect every scan; one that cannot be inspected does not stop the others. Returns the exit code.

    Raises:
        InputError: nothing can be inspected with these settings, such as a rate that takes more good scans.
    """
    require_folder_place(settings.output)
    if settings.compared_with:
        require_folder_place(settings.reference_cache)
    found = FoundScans.of(settings)
    check_counts(found, settings)
    scans, calibration, compared_with = found.scans, found.calibration, found.compared_with
    check_pictures([*scans, *calibration], settings.rgb)
    check_pictures(compared_with, settings.good_rgb)
    wanted = [(scan, settings.rgb) for scan in [*scans, *calibration]]
    wanted += [(scan, settings.good_rgb) for scan in compared_with]
    pictures = [path for path in (_picture_if_any(scan, rgb) for scan, rgb in wanted) if path is not None]
    folders = output_folders(scans, settings.output)
    results = [folder / name for folder in folders for name in FILES]
    for result in results[:: len(FILES)]:
        refuse_leaving(settings.output, result)
    refuse_overwriting([*scans, *calibration, *compared_with, *pictures, *settings.named_files], results)
    logger.info("%s to inspect; loading the model", counted(len(scans), "scan"))
    detector = load_detector(settings.detector)
    reference = named_reference(detector, compared_with, settings)
    readings = Readings()
    verdicts = find_verdicts(detector, reference, calibration, settings, readings)
    failed = broken = 0
    for path, folder in zip(scans, folders, strict=True):
        facts = inspect_and_write(detector, path, folder, reference, verdicts, settings, readings)
        print(for_json_line(facts, ascii_only=not is_unicode(sys.stdout)), flush=True)
        broken += "error" in facts
        failed += facts.get("verdict") == FAIL
    readings.warn_of_differences()
    logger.info("%s: %d failed, %d could not be inspected", counted(len(scans), "scan"), failed, broken)
    return EXIT_ERROR if broken else EXIT_FAIL if failed else 0


def inspect_and_write(
    detector: PointAD,
    path: Path,
    folder: Path,
    reference: Reference | None,
    verdicts: Verdicts,
    settings: PredictSettings,
    readings: Readings,
) -> dict:
    """Inspect one scan and write its outputs; its facts, or what went wrong."""
    try:
        with wait_for_lock(folder / WRITING) if folder.is_dir() else contextlib.nullcontext():
            remove_outputs(folder)
        knows_copies = reference is not None or bool(verdicts.calibrated_on)
        inspection = _inspect(detector, path, reference, settings, readings, with_likeness=knows_copies)
        verdicts.require_kind(path, inspection.prediction.kind)
        if is_among_good(path, reference, inspection.likeness):
            logger.warning("%s: %s", path, IS_GOOD)
        elif inspection.likeness and first_twin(inspection.likeness, verdicts.calibrated_on) is not None:
            logger.warning(
                "%s: is one of the scans of --calibrate, so its own score is part of what it is judged by", path
            )
        with wait_for_lock(folder / WRITING):
            remove_outputs(folder)  # of another run, which may have written a page that this one does not
            return _write(inspection, path, folder, detector, reference, verdicts, settings)
    except Exception as error:  # a fault of the program on one scan must not stop a production line either
        said = failure_of(path, error)
        logger.error("error: %s", said)
        return {"file": str(path), "error": said}


def _write(
    inspection: Inspection,
    path: Path,
    folder: Path,
    detector: PointAD,
    reference: Reference | None,
    verdicts: Verdicts,
    settings: PredictSettings,
) -> dict:
    """Write the outputs of one scan; its facts."""
    started = time.perf_counter()
    heat_range = settings.heat_range or (None if reference is None else reference.heat_range)
    good = 0 if reference is None else len(reference.names)
    basis = f"{compared_with(good)}.{DEMO_WORDS if detector.is_demo else ''}"
    write_inspection(folder, inspection, verdicts, html=settings.html, heat_range=heat_range, basis=basis)
    inspection.timings["write"] = time.perf_counter() - started
    facts = {"file": str(path), **describe(inspection, verdicts), "output": str(folder)}
    write_facts(folder, {**facts, "good_scans": good, "backbone": detector.backbone_name, "demo": detector.is_demo})
    return facts


def check_counts(found: FoundScans, settings: PredictSettings) -> None:
    """Refuse what the number of good scans alone rules out, before a model is loaded and any scan looked at.

    Raises:
        InputError: there are too few for the rate of false alarms.
    """
    rate, compared = settings.false_alarm_rate, found.compared_with
    if rate is not None and settings.reference is None:
        require_enough(len(compared or found.calibration), rate, fewest=2 if compared else 1)


def named_reference(detector: PointAD, compared_with: Sequence[Path], settings: PredictSettings) -> Reference | None:
    """The reference made from the good scans; None without any.

    Raises:
        InputError: there are none, one cannot be used, or the file is not a reference or was made otherwise.
    """
    if settings.reference is not None:
        reference = Reference.load(settings.reference)
        detector.check_reference(reference, **settings.look.arguments)
        if settings.false_alarm_rate is not None:
            require_enough(len(reference.names), settings.false_alarm_rate)
        return reference
    if not compared_with:
        return None
    good_scans = GoodScans(compared_with, settings.good_rgb)
    return cached_reference(detector, good_scans, settings.look.arguments, settings.reference_cache)


def find_verdicts(
    detector: PointAD,
    reference: Reference | None,
    calibration: Sequence[Path],
    settings: PredictSettings,
    readings: Readings,
) -> Verdicts:
    """How scores are judged, by a threshold or by the scores of good scans, all of which must be readable.

    Raises:
        InputError: there are too few good scans for a rate of false alarms, one cannot be inspected, or one is of
            another kind than the others.
    """
    for number, path in enumerate(calibration if settings.rgb is None else []):  # pictures may tell equal points apart
        _refuse_copy(path, is_among_good(path, reference), twin_of(path, calibration[:number]))
    scores, kind, likenesses = _scores_of_one_kind(detector, calibration, reference, settings, readings)
    rate = settings.false_alarm_rate
    if rate is not None and reference is not None:
        verdicts = judged_by_rate(reference.good_scores, rate)
        if scores:
            log_realised_rate(verdicts, scores)
        return verdicts
    if not scores:
        return Verdicts(settings.threshold)
    judged = judged_by_quantile(scores, settings.quantile) if rate is None else judged_by_rate(scores, rate)
    return replace(judged, kind=kind, calibrated_on=tuple(likenesses))


def _scores_of_one_kind(
    detector: PointAD,
    calibration: Sequence[Path],
    reference: Reference | None,
    settings: PredictSettings,
    readings: Readings,
) -> tuple[list[float], str | None, list[Likeness]]:
    """The scores of good scans, of which kind all of them are (None without any), and what they are known by."""
    scores: list[float] = []
    kind = None
    likenesses: list[Likeness] = []
    for path in calibration:
        inspection = _inspect(detector, path, reference, settings, readings, with_likeness=True)
        prediction, likeness = inspection.prediction, inspection.likeness
        assert likeness is not None
        twin = first_twin(likeness, likenesses)
        _refuse_copy(path, is_among_good(path, reference, likeness), None if twin is None else calibration[twin])
        likenesses.append(likeness)
        kind = kind or prediction.kind
        if prediction.kind != kind:
            problem = f"is {prediction.kind}, and the scans of --calibrate before it are {kind}"
            raise InputError(path, f"{problem}; their scores are not comparable", "calibrate on good scans of one kind")
        scores.append(prediction.score)
    return scores, kind, likenesses


def _refuse_copy(path: Path, is_good: bool, twin: str | Path | None) -> None:
    """Refuse a scan for calibration that is one of the good scans, or that was given before as its twin."""
    if is_good:
        problem = "is one of the good scans that others are compared with; compared with itself, its score is too low"
        raise InputError(path, problem, "calibrate on other good scans")
    if twin is not None:  # it would count as several scans, and the rate of false alarms seem surer than it is
        raise InputError(path, f"holds the same scan as {twin}", "give every good scan once")


def _picture_if_any(scan: Path, rgb: Path | None) -> Path | None:
    """The picture of a scan; None if there is none, which is told when the scan is inspected."""
    try:
        return find_picture(scan, rgb)
    except InputError:
        return None


def _inspect(
    detector: PointAD,
    path: Path,
    reference: Reference | None,
    settings: PredictSettings,
    readings: Readings,
    with_likeness: bool,
) -> Inspection:
    inspection = inspect_file(
        detector,
        path,
        find_picture(path, settings.rgb),
        name="/".join(path.parts[-NAMED_PARTS:]),
        region_threshold=settings.region_threshold,
        options={**settings.look.arguments, "reference": reference},
        with_likeness=with_likeness,
    )
    readings.add(path, inspection.manner)
    return inspection
