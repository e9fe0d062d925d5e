"""A run of scripts/render_dataset.py: every scan is rendered, the outcome is told, and the samples are listed."""

import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from pointad.commands.program import EXIT_ERROR
from pointad.commands.render_settings import RenderSettings
from pointad.data.export import ELSEWHERE, FAILED, RENDERED, SKIPPED, Outcome, export_samples
from pointad.data.listing import write_metadata
from pointad.data.metadata import GOOD_SCANS_NAME, read_metadata
from pointad.data.raw import check_apart, list_good_scans, list_raw_samples
from pointad.data.raw_places import refuse_links_into, refuse_replacing_raw
from pointad.data.rendering_settings import agree_on_settings, may_be_of_another, note_source, other_sources
from pointad.data.shards import WHOLE
from pointad.data.staleness import left_behind
from pointad.errors import InputError, counted, shown
from pointad.files.atomic import make_folder
from pointad.files.standing_folders import standing_folder
from pointad.scans.point_cloud import RawSample

logger = logging.getLogger(__name__)


def render_all(settings: RenderSettings) -> int:
    """Render, list, and report the outcome; returns the exit code."""
    found = found_samples(settings)
    samples = settings.shard.of(found)
    refuse_links_into(settings.archive, settings.save_path, samples)
    make_folder(settings.save_path)
    with standing_folder(settings.save_path):
        return _render_into(settings, found, samples)


def _render_into(settings: RenderSettings, found: list[RawSample], samples: list[RawSample]) -> int:
    refuse_replacing_raw(settings.save_path, samples)
    # Before anything is rendered, so that a run from other data that ends later knows of this one.
    agree_on_settings(settings.save_path, settings.dataset.name, settings.rendering)
    afresh = settings.overwrite and settings.shard == WHOLE and settings.classes is None
    note_source(settings.save_path, settings.archive, afresh=afresh)
    rendered = export_samples(
        samples,
        settings.save_path,
        settings.rendering,
        workers=settings.num_workers,
        overwrite=settings.overwrite,
    )
    outcomes = []
    with tqdm(total=len(samples), unit="scan", desc=settings.dataset.name, disable=None) as progress:
        for outcome in rendered:
            outcomes.append(outcome)
            progress.update()
            if outcome.status == FAILED:
                progress.write(f"failed: {outcome.message}", file=sys.stderr)
    counts = Counter(outcome.status for outcome in outcomes)
    print(f"{counted(counts[RENDERED], 'scan')} rendered, {counts[SKIPPED]} already finished, {counts[FAILED]} failed")
    _warn_of_outcomes(outcomes, settings)
    if counts[ELSEWHERE]:
        print(f"{counted(counts[ELSEWHERE], 'scan')} left to another run, which will list what it renders too")
    if counts[RENDERED] + counts[SKIPPED]:
        _list_samples(found, settings)
    return EXIT_ERROR if counts[FAILED] else 0


def found_samples(settings: RenderSettings) -> list[RawSample]:
    """The test samples, then the good scans that are wanted beside them.

    Raises:
        InputError: there are none of either.
    """
    dataset, archive, reading = settings.dataset, settings.archive, settings.rendering.reading
    samples = list_raw_samples(dataset, archive, classes=settings.classes, reading=reading)
    if settings.good_scans is None:
        return samples
    good: dict[str, list[RawSample]] = defaultdict(list)
    found = list_good_scans(dataset, archive, settings.classes, reading)
    check_apart(samples, found)
    for sample in found:
        good[sample.class_name].append(sample)
    if not good:
        remedy = "omit --good_scans: test.py --shots then draws good scans from the test split"
        raise InputError(archive, "holds no good scans outside the test split", remedy)
    return samples + [sample for of_class in good.values() for sample in of_class[: settings.good_scans]]


def _warn_of_outcomes(outcomes: Sequence[Outcome], settings: RenderSettings) -> None:
    """Log what is not as one may think: resized files, and renderings that may be of other data or older than them."""
    resized: dict[str, list[Path]] = {"mask": [], "picture": []}
    for outcome in outcomes:
        for path in outcome.resized:
            resized["mask" if path == outcome.sample.mask_path else "picture"].append(path)
    for what, paths in resized.items():
        if paths:
            logger.warning("resized to the size of the scan: %s, such as %s", counted(len(paths), what), paths[0])
    others = other_sources(settings.save_path, settings.archive)
    not_rendered_here = [one.sample.scan_path for one in outcomes if one.status in (SKIPPED, ELSEWHERE)]
    doubtful = [path for path in not_rendered_here if may_be_of_another(path, settings.archive, others)]
    if doubtful:
        message = (
            "%s: was also rendered from %s; %s that this run did not render may be from there, such as %s; "
            "--overwrite replaces them by those of %s"
        )
        named, number = ", ".join(others), counted(len(doubtful), "scan")
        logger.warning(message, settings.save_path, named, number, doubtful[0], settings.archive)
    outdated = [outcome.sample.scan_path for outcome in outcomes if outcome.outdated]
    if outdated:
        message = (
            "%d finished scans have changed since, or have other pictures or masks, such as %s; "
            "--overwrite renders such scans again"
        )
        logger.warning(message, len(outdated), outdated[0])
    kept = [outcome.sample.scan_path for outcome in outcomes if outcome.kept]
    if kept:
        message = "%d failed scans keep their earlier renderings, which are listed, such as %s"
        logger.warning(message, len(kept), kept[0])


def _list_samples(found: list[RawSample], settings: RenderSettings) -> None:
    """Write the JSON files that list all samples, and say how many there are."""
    summary = write_metadata(settings.save_path, settings.dataset.name)
    listed = sum(sum(species.values()) for species in summary.samples.values())
    place = shown(settings.save_path / "all_meta.json")
    print(f"{counted(listed, 'sample')} of {counted(len(summary.samples), 'class')} listed in {place}")
    _warn_of_left_behind(found, settings)
    if summary.good_scans:
        good = sum(summary.good_scans.values())
        place = shown(settings.save_path / GOOD_SCANS_NAME)
        print(f"{counted(good, 'good scan')} for comparison listed in {place}")


def _warn_of_left_behind(samples: list[RawSample], settings: RenderSettings) -> None:
    """Log renderings of samples that were removed, renamed, or moved to another kind of defect: tests count them."""
    listed = read_metadata(settings.save_path)
    kept = left_behind([sample for sample in samples if not sample.for_reference], listed)
    if kept:
        problem = (
            "%d listed samples are not in the raw data set, such as %s; remove their renderings, or tests will count "
            "them"
        )
        logger.warning(problem, len(kept), kept[0].views_folder)
    if settings.classes is None:
        present = {sample.class_name for sample in samples}
        others = sorted({record.class_name for record in listed if record.class_name not in present})
        if others:
            message = "%s: lists classes that are not in %s: %s; tests will count them"
            logger.warning(message, settings.save_path, settings.archive, ", ".join(others))
