"""A run of test.py: the data set is encoded once and scored with every set of prompts; tables, scores and curves."""

import contextlib
import logging

from pointad.commands.loading import begun, list_data, load_encoder, log_encoded, log_to_file, picture_size
from pointad.commands.named_inputs import refuse_replacing_samples
from pointad.commands.prompt_sets import check_checkpoints, left_to_test, load_prompt_sets
from pointad.commands.run_records import record_of_test
from pointad.commands.tables import print_tables
from pointad.commands.test_settings import TestSettings
from pointad.compute.processes import Processes, joined_processes
from pointad.datasets.base import DatasetSpecification
from pointad.evaluation.evaluation import evaluate
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.label_leaks import LabelLeakCheck, log_findings
from pointad.evaluation.run_record import repeatable
from pointad.evaluation.run_writer import RunWriter
from pointad.evaluation.scored_sample import ScoredSample
from pointad.files.locks import own_folder
from pointad.files.names import place_below
from pointad.files.regular import refuse_leaving

logger = logging.getLogger(__name__)


def run_test(settings: TestSettings) -> None:
    """Encode the data set once, score it with every checkpoint, print and write what was found."""
    with joined_processes() as processes, begun(settings, processes) as (settings, owned):
        _measure(settings, processes, owned)


def _measure(settings: TestSettings, processes: Processes, owned: contextlib.ExitStack) -> None:
    """The part of the run that this process does; the first one prints and writes."""
    begin_log = log_to_file(settings.save_path, processes)
    # What can be found missing is looked for before a model is downloaded and loaded.
    check_checkpoints(settings)
    listed = list_data(settings.data)
    refuse_replacing_samples(listed.all_samples, settings.written())
    begin_log()
    about = listed.about
    backbone, encoder = load_encoder(settings.model, settings.encoding, processes)
    left = left_to_test(settings, backbone.fingerprint, processes)
    if left is None:
        return
    settings = left
    data = listed.for_test(picture_size(settings.data, backbone), settings.region_neighbours(about))
    record = record_of_test(settings, encoder, data)
    processes.require_same(repeatable(record))
    prompt_sets = load_prompt_sets(settings, backbone, record, {source.class_name for source in data.samples.sources})
    writers = {
        loaded.prompts.name: RunWriter(
            place_below(settings.save_path, loaded.prompts.name) if settings.several else settings.save_path,
            loaded.record,
            save_maps=settings.save_maps,
            visualize=settings.visualize,
        )
        for loaded in prompt_sets
    }
    if settings.several and processes.is_first:
        for writer in writers.values():
            refuse_leaving(settings.save_path, writer.folder / "results.json")
            owned.enter_context(own_folder(writer.folder))
    if processes.is_first:
        for loaded in prompt_sets:
            tested = (source for source in data.samples.sources if source.class_name not in loaded.prompts.left_out)
            writers[loaded.prompts.name].begin((one.class_name, one.species, one.identifier) for one in tested)
    check = LabelLeakCheck(data.samples.sources, organized=about.organized)

    def go_by(sample: ScoredSample) -> None:
        writers[sample.prompts].add_sample(sample)
        check.add(sample)

    evaluation = evaluate(
        encoder,
        data.samples,
        [loaded.prompts for loaded in prompt_sets],
        evaluation_settings(settings, about),
        on_sample=go_by,
        processes=processes,
    )
    for outcome in evaluation:
        writers[outcome.prompts].add_class(outcome)
    log_encoded(encoder, processes)
    if processes.is_first:
        leaks = check.findings()
        log_findings(leaks)
        print_tables([writer.finish(leaks) for writer in writers.values()], settings.save_path)


def evaluation_settings(settings: TestSettings, dataset: DatasetSpecification) -> EvaluationSettings:
    """What the evaluation itself must know."""
    return EvaluationSettings(
        sigma=settings.scoring.sigma,
        fusion=settings.scoring.fusion,
        view_fusion=settings.experiment.view_fusion,
        metrics=settings.metrics,
        aupro=settings.aupro,
        groups=dataset.groups,
        allow_empty_masks=settings.data.reading.allow_empty_masks,
        batch_size=settings.batch_size,
        keep_views=settings.visualize,
        num_workers=settings.data.num_workers,
    )
