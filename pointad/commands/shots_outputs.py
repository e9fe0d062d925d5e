"""What a few-shot test leaves: its table, `shots.json`, `shots.csv`, and a `results.json` for every number of shots."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pointad.commands.test_settings import TestSettings
from pointad.errors import shown
from pointad.evaluation.binning import binning_note
from pointad.evaluation.draws import Draw, largest_bounds, mean_over_draws
from pointad.evaluation.missing_masks import missing_masks_note
from pointad.evaluation.modalities import MODALITIES, MODALITY_TITLES
from pointad.evaluation.protocol import supervision_of
from pointad.evaluation.result_table import mean_title
from pointad.evaluation.results import Metrics, Results, metric_title, percent_over
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.text_table import text_table
from pointad.files.atomic import write_together
from pointad.files.csv_tables import csv_text
from pointad.files.escaping import for_csv
from pointad.files.names import place_below
from pointad.files.regular import refuse_leaving
from pointad.reference.good_draws import TEST_SPLIT
from pointad.reference.shots import ZERO_SHOT, ShotOutcome

FUSION = "map"  # what the prompts say about whole views plays no part in a score
EVERY_OUTCOME, SUMMARY, RESULTS = "shots.json", "shots.csv", "results.json"
COLUMNS = ("prompts", "class", "supervision", "good_from", "modality", "metric", "mean", "std", "draws")


def write_outcomes(outcomes: Sequence[ShotOutcome], records: Mapping[str, RunRecord], settings: TestSettings) -> None:
    """Write everything that was found into the test's folder.

    Args:
        outcomes: of all classes.
        records: what is known about the run of every set of prompts, by its name.
        settings: of the test.

    Raises:
        InputError: a file cannot be written.
    """
    folder = settings.save_path
    # Results last: by them, a test is known to be finished.
    contents = {
        folder / SUMMARY: to_csv(outcomes).encode(),
        folder / EVERY_OUTCOME: _to_json(outcomes, settings).encode(),
    }
    for (prompts, shots), results in results_of(outcomes, records, settings).items():
        own = place_below(folder, prompts) if settings.several else folder
        contents[own / supervision_of(shots) / RESULTS] = results.to_bytes()
    for path in contents:
        refuse_leaving(folder, path)
    write_together(contents)


def results_of(
    outcomes: Sequence[ShotOutcome], records: Mapping[str, RunRecord], settings: TestSettings
) -> dict[tuple[str, int], Results]:
    """The results of every set of prompts with every number of good scans.

    Zero-shot figures are not among them: they are those of the same test without `--shots`.
    """
    found: dict[tuple[str, int], Results] = {}
    for prompts, record in records.items():
        for shots in settings.shots:
            own = [one for one in outcomes if (one.prompts, one.shots) == (prompts, shots)]
            draws = [_draw([one for one in own if one.draw == draw]) for draw in range(settings.draws)]
            told = replace(
                record,
                fusion=FUSION,
                shots=shots,
                draws=settings.draws,
                draw_seed=settings.draw_seed,
                good_from=_origin(own),
            )
            masks = {one.class_name: one.masks for one in own if one.masks}
            pictures = {one.class_name: one.pictures for one in own if one.pictures}
            scans = {one.class_name: record.of_views(one.scans) for one in own if one.scans}
            good_pictures: dict[str, dict[str, str]] = {}
            for one in own:
                if one.good_pictures:
                    good_pictures.setdefault(one.class_name, {}).update(one.good_pictures)
            bounds = error_bounds_of(own)
            found[prompts, shots] = Results(
                mean_over_draws(draws),
                told,
                error_bounds=bounds,
                masks=masks,
                pictures=pictures,
                scans=scans,
                good_pictures=good_pictures,
                without_mask=without_mask(own),
                draws=tuple(draws),
            )
    return found


def error_bounds_of(outcomes: Sequence[ShotOutcome]) -> dict[str, dict[str, Metrics]]:
    """Bounds on the error of binned pixel metrics: class -> modality -> metric; empty if all figures are exact."""
    found = {
        name: largest_bounds([one.error_bounds for one in outcomes if one.class_name == name])
        for name in dict.fromkeys(outcome.class_name for outcome in outcomes)
    }
    return {name: bounds for name, bounds in found.items() if bounds}


def without_mask(outcomes: Sequence[ShotOutcome]) -> dict[str, int]:
    """Anomalous scans that are in no pixel metric, since their masks mark nothing: class -> number, where there are."""
    return {outcome.class_name: outcome.without_mask for outcome in outcomes if outcome.without_mask}


def shots_tables(outcomes: Sequence[ShotOutcome], metrics: Sequence[str]) -> str:
    """A table for every modality, with a row for zero-shot and for every number of good scans.

    Figures are mean and standard deviation over draws, per cent; a draw's figure is the mean over the classes and the
    sets of prompts.
    """
    draws = 1 + max(outcome.draw for outcome in outcomes)
    about = f"mean over classes and prompts; mean ± std over {draws} draws of good scans, per cent"
    tables = []
    for modality in modalities_of(outcomes):
        rows = []
        for shots in sorted({outcome.shots for outcome in outcomes}):
            own = [outcome for outcome in outcomes if outcome.shots == shots]
            rows.append([supervision_of(shots), *(percent_over(of_draws(own, modality, metric)) for metric in metrics)])
        table = text_table(["supervision", *map(metric_title, metrics)], rows)
        tables.append(f"{MODALITY_TITLES[modality]}: {about}\n{table}")
        binned = {name: bounds[modality] for name, bounds in error_bounds_of(outcomes).items() if modality in bounds}
        if binned:
            tables[-1] += f"\n{binning_note(binned, metric_title)}"
        tables[-1] += "".join(f"\n{note}" for note in undefined_notes(outcomes, modality, metrics))
    unmarked = without_mask(outcomes)
    notes = [missing_masks_note(unmarked)] if unmarked else []
    return "\n\n".join([*tables, *notes, origin_sentence(outcomes)])


def undefined_notes(outcomes: Sequence[ShotOutcome], modality: str, metrics: Sequence[str]) -> list[str]:
    """Which metrics are means over some of the classes alone, as the tables of zero-shot tests tell it."""
    classes = dict.fromkeys(outcome.class_name for outcome in outcomes)
    notes = []
    for metric in metrics:
        values: dict[str, list[bool]] = {name: [] for name in classes}
        for outcome in outcomes:
            values[outcome.class_name].append(outcome.metrics.get(modality, {}).get(metric) is not None)
        missing = sum(not any(defined) for defined in values.values())
        partly = sum(any(defined) and not all(defined) for defined in values.values())
        if missing:
            notes.append(f"{metric_title(metric)} is undefined in {missing} of {len(classes)} classes.")
        if partly:
            notes.append(f"{metric_title(metric)} is undefined in some draws in {partly} of {len(classes)} classes.")
    return notes


def modalities_of(outcomes: Sequence[ShotOutcome]) -> list[str]:
    """What there are figures for: the points, and with RGB pictures those and both together."""
    return [modality for modality in MODALITIES if any(modality in outcome.metrics for outcome in outcomes)]


def origin_sentence(outcomes: Sequence[ShotOutcome]) -> str:
    """Where the good scans were drawn from, in words."""
    drawn = [outcome for outcome in outcomes if outcome.shots != ZERO_SHOT]
    from_test = dict.fromkeys(outcome.class_name for outcome in drawn if outcome.drawn_from == TEST_SPLIT)
    others = dict.fromkeys(outcome.class_name for outcome in drawn if outcome.drawn_from != TEST_SPLIT)
    left_out = "the test split, and left out of the test of their draw"
    if not others:
        return f"Good scans were drawn from {left_out}."
    beside = "the training split, which has no part in the test"
    if not from_test:
        return f"Good scans were drawn from {beside}."
    return f"Good scans were drawn from {beside}; those of {', '.join(map(shown, from_test))} from {left_out}."


def of_draws(outcomes: Sequence[ShotOutcome], modality: str, metric: str) -> list[float]:
    """A metric of a modality for every draw: its mean over classes and sets of prompts, where it is defined."""
    found = []
    for draw in sorted({outcome.draw for outcome in outcomes}):
        mine = [outcome.metrics.get(modality, {}).get(metric) for outcome in outcomes if outcome.draw == draw]
        defined = [value for value in mine if value is not None]
        if defined:
            found.append(statistics.fmean(defined))
    return found


def to_csv(outcomes: Sequence[ShotOutcome]) -> str:
    """A line for every set of prompts, class (and their mean), number of good scans, modality and metric; fractions."""
    lines: list[Sequence[object]] = [COLUMNS]
    for (prompts, class_name, shots), own in _groups(outcomes):
        about = [for_csv(prompts), for_csv(class_name), supervision_of(shots), _origin(own) if shots else ""]
        for modality in modalities_of(own):
            for metric in dict.fromkeys(name for one in own for name in one.metrics.get(modality, {})):
                values = of_draws(own, modality, metric)
                deviation = statistics.stdev(values) if len(values) > 1 else ""
                mean = statistics.fmean(values) if values else ""
                lines.append([*about, modality, metric, mean, deviation, len(values)])
    return csv_text(lines)


def _groups(outcomes: Sequence[ShotOutcome]) -> Iterator[tuple[tuple[str, str, int], list[ShotOutcome]]]:
    """The outcomes of each class, then of all classes together, by set of prompts and number of good scans."""
    for prompts in dict.fromkeys(outcome.prompts for outcome in outcomes):
        for shots in sorted({outcome.shots for outcome in outcomes}):
            own = [one for one in outcomes if (one.prompts, one.shots) == (prompts, shots)]
            classes = dict.fromkeys(outcome.class_name for outcome in own)
            for class_name in classes:
                yield (prompts, class_name, shots), [one for one in own if one.class_name == class_name]
            yield (prompts, mean_title(classes), shots), own


def _draw(outcomes: Sequence[ShotOutcome]) -> Draw:
    return Draw(
        classes={outcome.class_name: outcome.metrics for outcome in outcomes},
        good_scans={outcome.class_name: outcome.good for outcome in outcomes},
    )


def _origin(outcomes: Sequence[ShotOutcome]) -> str:
    return " or ".join(sorted({outcome.drawn_from for outcome in outcomes}))


def _to_json(outcomes: Sequence[ShotOutcome], settings: TestSettings) -> str:
    content = {
        "dataset": settings.data.dataset.name,
        "data": str(settings.data.folder),
        "shots": settings.shots,
        "draws": settings.draws,
        "seed": settings.draw_seed,
        "outcomes": [
            {
                "prompts": outcome.prompts,
                "class": outcome.class_name,
                "supervision": supervision_of(outcome.shots),
                "shots": outcome.shots,
                "draw": outcome.draw,
                "good_from": outcome.drawn_from if outcome.shots else None,
                "good_scans": outcome.good,
                "metrics": outcome.metrics,
            }
            for outcome in outcomes
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
