"""A run of test.py --shots: every class is compared with a few of its good scans, drawn by chance several times."""

import contextlib
import json
import logging
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pointad.commands.loading import (
    list_data,
    load_encoder,
    log_encoded,
    log_to_file,
    make_missing_data,
    picture_size,
)
from pointad.commands.prompt_sets import check_checkpoints, load_prompt_sets
from pointad.commands.run_records import record_of_test
from pointad.commands.test_settings import TestSettings
from pointad.encoding.features import PictureEncoder
from pointad.errors import shown
from pointad.evaluation.results import metric_title, percent
from pointad.evaluation.text_table import text_table
from pointad.files.atomic import atomic_path
from pointad.files.locks import own_folder
from pointad.reference.observation import bank_blocks, joint_blocks
from pointad.reference.shots import ZERO_SHOT, ShotOutcome, ShotSettings, evaluate_shots

logger = logging.getLogger(__name__)

RESULTS = "shots.json"


def run_shots(settings: TestSettings) -> None:
    """Encode the data set once, compare it with all good scans that are drawn, print and write what was found."""
    make_missing_data(settings.data)
    with contextlib.ExitStack() as owned:
        owned.enter_context(own_folder(settings.save_path))
        log_to_file(settings.save_path)
        _measure(settings)


def _measure(settings: TestSettings) -> None:
    check_checkpoints(settings)
    listed = list_data(settings.data)
    backbone, for_prompts = load_encoder(settings.model, settings.encoding)
    banks = bank_blocks(backbone.depth)
    encoder = PictureEncoder(
        backbone,
        joint_blocks(for_prompts.layers, banks),
        precision=settings.encoding.precision,
        compiled=settings.encoding.compiled,
        pictures_at_once=settings.encoding.pictures_at_once,
        cache_folder=settings.encoding.feature_cache,
    )
    about = listed.about
    data = listed.for_test(picture_size(settings.data, backbone), settings.region_neighbours(about))
    samples = data.samples
    samples.options = replace(samples.options, with_points=True, with_color=False)
    record = record_of_test(settings, for_prompts, data)
    prompt_sets = load_prompt_sets(settings, backbone, record, {source.class_name for source in samples.sources})
    outcomes: list[ShotOutcome] = []
    for outcome in evaluate_shots(
        encoder,
        samples,
        [loaded.prompts for loaded in prompt_sets],
        ShotSettings(
            shots=settings.shots,
            draws=settings.draws,
            seed=settings.draw_seed,
            prompt_blocks=for_prompts.layers,
            bank_blocks=banks,
            sigma=settings.scoring.sigma,
            metrics=settings.metrics,
            aupro=settings.aupro,
            organized=about.organized,
        ),
    ):
        if not outcomes or outcomes[-1].class_name != outcome.class_name:
            logger.info("%s: scored", outcome.class_name)
        outcomes.append(outcome)
    log_encoded(encoder)
    write_outcomes(outcomes, settings, settings.save_path / RESULTS)
    table = shots_table(outcomes, settings.metrics)
    print(f"\n{table}\n\nwritten to {shown(settings.save_path)}")


def shots_table(outcomes: Sequence[ShotOutcome], metrics: Sequence[str]) -> str:
    """A row for zero-shot and for every number of good scans: mean and standard deviation over draws, per cent.

    A draw's figure is the mean over the classes and the sets of prompts.
    """
    rows = []
    for shots in sorted({outcome.shots for outcome in outcomes}):
        name = "zero-shot" if shots == ZERO_SHOT else f"{shots}-shot"
        rows.append([name, *(_spoken(of_draws(outcomes, shots, metric)) for metric in metrics)])
    draws = 1 + max(outcome.draw for outcome in outcomes)
    heading = f"Point: mean over classes and prompts; mean ± std over {draws} draws of good scans, per cent"
    return f"{heading}\n{text_table(['good scans', *map(metric_title, metrics)], rows)}"


def of_draws(outcomes: Sequence[ShotOutcome], shots: int, metric: str) -> list[float]:
    """A metric for every draw: its mean over classes and sets of prompts, where it is defined."""
    found = []
    for draw in sorted({outcome.draw for outcome in outcomes if outcome.shots == shots}):
        mine = [outcome.metrics.get(metric) for outcome in outcomes if (outcome.shots, outcome.draw) == (shots, draw)]
        defined = [value for value in mine if value is not None]
        if defined:
            found.append(statistics.fmean(defined))
    return found


def write_outcomes(outcomes: Sequence[ShotOutcome], settings: TestSettings, path: Path) -> None:
    """Write every outcome with what was drawn.

    Raises:
        InputError: the file cannot be written.
    """
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
                "shots": outcome.shots,
                "draw": outcome.draw,
                "good_scans": outcome.good,
                "metrics": outcome.metrics,
            }
            for outcome in outcomes
        ],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _spoken(values: Sequence[float]) -> str:
    if not values:
        return percent(None)
    if len(values) == 1:
        return percent(values[0])
    return f"{percent(statistics.fmean(values))} ± {percent(statistics.stdev(values))}"
