"""Which of the files beside a results.json belong to it: a page shows no scores, curves or pictures of another test.

And whether the figures are those of the scores: who edits one of them by hand is found out by the other.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointad.errors import InputError, counted, shown
from pointad.evaluation.companions import has_fingerprint
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.results import Results
from pointad.evaluation.sample_outputs import maps_file, picture_file
from pointad.files.existing import is_beside
from pointad.files.presence import is_file
from pointad.metrics.class_metrics import image_metrics
from pointad.report.runs import CURVES_NAME, FOREIGN, RESULTS_NAME, SCORES_NAME, Run, SampleScore, read_scores
from pointad.report.samples import JudgedSample

TOLERANCE = 1e-6
_COMPARED = ("image_auroc", "image_ap", "image_f1_max")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Belongings:
    """What of a run's folder is the run's own."""

    scores: bool = False  # and with them maps and pictures, as far as the run wrote any
    curves: bool = False


def belongings(run: Run) -> Belongings:
    """Tell which of the files in its folder a run was written with; files of others are logged.

    Runs of older versions did not note it down. Of those a file that is still called results.json has what lies beside
    it if the scores there lead to its figures.

    Raises:
        InputError: a file cannot be read.
    """
    if run.record.shots:
        return Belongings()  # few-shot tests write figures only
    present = [name for name in (SCORES_NAME, CURVES_NAME) if is_beside(run.folder / name)]
    if not present:
        return Belongings()
    wrote = run.results.files
    if wrote is None:
        return _of_older_version(run, present)
    expected = {SCORES_NAME: wrote.scores, CURVES_NAME: wrote.curves}
    own = {name for name in present if has_fingerprint(run.folder / name, expected[name])}
    foreign = [name for name in present if name not in own]
    if foreign:
        verb, noun = ("is", "the file") if len(foreign) == 1 else ("are", "the files")
        logger.warning(
            "%s: %s next to it %s not %s that it was written with (changed since, or from another test); its page "
            "shows nothing of them%s",
            run.place,
            " and ".join(foreign),
            verb,
            noun,
            ", nor any pictures" if SCORES_NAME in foreign else "",
        )
    return Belongings(SCORES_NAME in own, CURVES_NAME in own)


def with_own_outputs(run: Run, judged: Sequence[JudgedSample]) -> list[JudgedSample]:
    """The samples without those maps and pictures in the run's folder that it was not written with, which are logged.

    They count as its own where its table of scores does not tell what they were, as those of older versions.

    Raises:
        InputError: a file cannot be read.
    """
    found = []
    foreign: dict[Path, None] = {}  # one sample may be among the best and the worst
    for one in judged:
        sample = one.sample
        maps, picture = maps_file(run.folder, *sample.name), picture_file(run.folder, *sample.name)
        if _is_foreign(maps, sample.maps):
            sample = replace(sample, maps=FOREIGN)
            foreign[maps] = None
        if _is_foreign(picture, sample.picture):
            sample = replace(sample, picture=FOREIGN)
            foreign[picture] = None
        found.append(replace(one, sample=sample))
    if foreign:
        logger.warning(
            "%s: %s of maps and pictures next to it are not those that it was written with (changed since, or from "
            "another test), and not shown, such as %s",
            run.place,
            counted(len(foreign), "file"),
            next(iter(foreign)),
        )
    return found


def _is_foreign(path: Path, told: str | None) -> bool:
    return bool(told) and is_beside(path) and file_fingerprint(path) != told


def _of_older_version(run: Run, present: list[str]) -> Belongings:
    if run.name != RESULTS_NAME:
        logger.warning(
            "%s: it is unknown whether %s there belong to it, so they are not shown; if they do, rename it to %s",
            run.place,
            " and ".join(present),
            RESULTS_NAME,
        )
        return Belongings()
    if SCORES_NAME in present and _lead_to(read_scores(run), run):
        return Belongings(True, True)
    logger.warning(
        "%s: %s; its page shows nothing of the other files there",
        run.place,
        f"its figures are not those of {SCORES_NAME}"
        if SCORES_NAME in present
        else f"without {SCORES_NAME} it is unknown whether {CURVES_NAME} belongs to {RESULTS_NAME}",
    )
    return Belongings()


def require_own_figures(run: Run) -> None:
    """Refuse results that the scores written with them contradict; those of other tests are not compared.

    Scores tell the figures of samples alone: those of points take the maps of all samples.

    Raises:
        InputError: a figure of a class is not that of its samples, one of the two lacks a class, or a file cannot be
            read.
    """
    path, wrote = run.folder / SCORES_NAME, run.results.files
    if wrote is None or not is_file(path) or not has_fingerprint(path, wrote.scores):
        return
    contradiction = next(_contradictions(read_scores(run), run.results), None)
    if contradiction is not None:
        problem = f"{contradiction}, so it was changed after the test"
        raise InputError(run.folder / run.name, problem, "run test.py again")


def _lead_to(scores: list[SampleScore], run: Run) -> bool:
    """Whether the figures of a run are those of these samples; False if it has none that samples could tell."""
    told = any(
        name in metrics for one in run.results.classes.values() for metrics in one.values() for name in _COMPARED
    )
    return told and bool(scores) and next(_contradictions(scores, run.results), None) is None


def _contradictions(scores: Sequence[SampleScore], results: Results) -> Iterator[str]:
    """What results say otherwise than the scores of their samples, where names have been written as they are shown."""
    by_class: dict[str, list[SampleScore]] = {}
    for sample in scores:
        by_class.setdefault(sample.class_name, []).append(sample)
    names = {shown(name): name for name in results.classes}
    if len(names) < len(results.classes) or not scores:
        return  # the samples of some classes cannot be told apart, or there are none to compare
    yield from (
        f"has no figures of the class {name}, of which {SCORES_NAME} has samples" for name in by_class.keys() - names
    )
    for written, name in names.items():
        if written not in by_class:
            yield f"has figures of the class {written}, of which {SCORES_NAME} has no sample"
            continue
        for modality, metrics in results.classes[name].items():
            own = [sample for sample in by_class[written] if modality in sample.scores]
            labels = np.array([sample.label for sample in own])
            values = np.array([sample.scores[modality] for sample in own])
            for metric, value in image_metrics(labels, values, [one for one in _COMPARED if one in metrics]).items():
                told = metrics[metric]
                if (value is None) != (told is None) or abs((value or 0) - (told or 0)) > TOLERANCE:
                    yield f"{written}, {modality}, {metric}: is {told}, but that of {SCORES_NAME} is {value}"
