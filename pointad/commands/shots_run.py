"""A run of test.py --shots: every class is compared with a few of its good scans, drawn by chance several times."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace

from pointad.commands.loading import (
    begun,
    list_data,
    load_encoder,
    log_encoded,
    log_to_file,
    make_encoder,
    picture_size,
)
from pointad.commands.named_inputs import refuse_replacing_samples
from pointad.commands.prompt_names import prompts_name
from pointad.commands.prompt_sets import check_checkpoints, left_to_test, load_prompt_sets
from pointad.commands.run_records import record_of_test
from pointad.commands.shots_outputs import EVERY_OUTCOME, RESULTS, SUMMARY, shots_tables, write_outcomes
from pointad.commands.test_settings import TestSettings
from pointad.compute.processes import require_alone
from pointad.errors import shown
from pointad.evaluation.learned_samples import with_learned_samples
from pointad.files.locks import own_folder
from pointad.files.names import place_below
from pointad.files.regular import refuse_leaving
from pointad.reference.good_draws import TEST_SPLIT
from pointad.reference.observation import bank_blocks, joint_blocks
from pointad.reference.shots import ShotOutcome, ShotSettings, evaluate_shots

logger = logging.getLogger(__name__)


def run_shots(settings: TestSettings) -> None:
    """Encode the data set once, compare it with all good scans that are drawn, print and write what was found."""
    require_alone("--shots")
    with begun(settings) as (settings, owned):
        _measure(settings, owned, log_to_file(settings.save_path))


def _measure(settings: TestSettings, owned: contextlib.ExitStack, begin_log: Callable[[], None]) -> None:
    check_checkpoints(settings)
    listed = list_data(settings.data, with_good=settings.good_from != TEST_SPLIT)
    refuse_replacing_samples(listed.all_samples, settings.written())
    begin_log()
    backbone, for_prompts = load_encoder(settings.model, settings.encoding)
    left = left_to_test(settings, backbone.fingerprint)
    if left is None:
        return
    if len(left.checkpoints) < len(settings.checkpoints):
        named = ", ".join(shown(prompts_name(path)) for path in left.checkpoints)
        logger.info("%s and %s will be of these prompts alone: %s", SUMMARY, EVERY_OUTCOME, named)
    settings = left
    banks = bank_blocks(backbone.depth)
    encoder = make_encoder(backbone, joint_blocks(for_prompts.layers, banks), settings.encoding)
    about = listed.about
    data = listed.for_test(picture_size(settings.data, backbone), settings.region_neighbours(about))
    samples = data.samples
    samples.options = replace(samples.options, with_points=True)
    record = record_of_test(settings, for_prompts, data)
    prompt_sets = load_prompt_sets(settings, backbone, record, {source.class_name for source in samples.sources})
    for loaded in prompt_sets if settings.several else ():
        folder = place_below(settings.save_path, loaded.prompts.name)
        refuse_leaving(settings.save_path, folder / RESULTS)
        owned.enter_context(own_folder(folder))
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
            allow_empty_masks=settings.data.reading.allow_empty_masks,
        ),
        listed.listed.good,
    ):
        if not outcomes or outcomes[-1].class_name != outcome.class_name:
            logger.info("%s: scored", outcome.class_name)
        outcomes.append(outcome)
    log_encoded(encoder)
    records = {}
    for loaded in prompt_sets:
        own = [outcome for outcome in outcomes if outcome.prompts == loaded.prompts.name]
        tested = {outcome.class_name: outcome.renderings for outcome in own}
        records[loaded.prompts.name] = with_learned_samples(loaded.record, tested)
    write_outcomes(outcomes, records, settings)
    tables = shots_tables(outcomes, settings.metrics)
    print(f"\n{tables}\n\nwritten to {shown(settings.save_path)}")
