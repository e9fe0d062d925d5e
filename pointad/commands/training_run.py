"""A run of train.py: the training class is encoded once, then the prompts are learned and written."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pointad.commands.finished_trainings import log_trained, require_same_training_data
from pointad.commands.loading import begun, list_data, load_encoder, log_encoded, log_to_file, picture_size
from pointad.commands.named_inputs import refuse_replacing_samples
from pointad.commands.run_records import record_of_training
from pointad.commands.train_settings import TrainSettings
from pointad.commands.training_outputs import save_checkpoint, write_losses, write_run
from pointad.compute.processes import ALONE, Processes, joined_processes
from pointad.errors import InputError
from pointad.evaluation.provenance import code_fingerprint
from pointad.evaluation.run_record import TrainingRecord, repeatable
from pointad.evaluation.run_schema import checked_record
from pointad.files.json_files import read_json
from pointad.files.presence import is_file
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import check_prompts, load_prompt_learner
from pointad.model.prompt_learner import CONTEXT_TOKENS, DEEP_TOKENS, DEPTH, OBJECT_NAME, PromptLearner
from pointad.model.text_features import spoken_name
from pointad.training.loss_paths import choose_path
from pointad.training.run_folder import (
    LOSSES_NAME,
    RUN_NAME,
    STATE_NAME,
    check_folder,
    check_restart,
    checkpoint_file,
    checkpoint_files,
    discard_training,
    is_whole,
    origin_file,
)
from pointad.training.scalars import Scalars
from pointad.training.settings import TrainingSettings
from pointad.training.state import START_AFRESH, load_training_state, save_training_state
from pointad.training.state_check import check_training_state
from pointad.training.training import DivergenceError, EpochLosses, Training, TrainingExamples, load_examples

FLAG_OF_FACT = {  # those of other facts are called like them
    "training_dataset": "--dataset",
    "training_class": "--train_class",
    "backbone": "--clip_model, --clip_weights",
    "backbone_fingerprint": "--clip_weights",
    "object_aware": "--prompts object_aware",
    "views": "--views",
    "view_names": "--views",
    "point_size": "--grid_size",
    "epochs": "--epoch",
    "rounded_features": "--feature_cache",
    "init_fingerprint": "content of --init_checkpoint",
    "learned_before": "beside --init_checkpoint",
    "samples": "in --data_path",
    "sample_count": "in --data_path",
    "point_pixels": "when rendering",
}

logger = logging.getLogger(__name__)


def run_training(settings: TrainSettings) -> None:
    """Encode the training class once, then learn the prompts; together with the other processes, if there are any."""
    with joined_processes() as processes, begun(settings, processes) as (settings, opened):
        scalars = None
        if processes.is_first and settings.tensorboard is not None:
            scalars = opened.enter_context(Scalars(settings.tensorboard))
        _run_in_folder(settings, processes, scalars)


def _run_in_folder(settings: TrainSettings, processes: Processes, scalars: Scalars | None) -> None:
    """The part of the run that this process does; the first one writes the files."""
    folder = settings.save_path
    begin_log = log_to_file(folder, processes)
    # What can be found missing is looked for before a model is downloaded and loaded.
    if settings.init_checkpoint is not None:
        check_prompts(settings.init_checkpoint, settings.model.clip_model, settings.model.clip_weights)
    path = choose_path(dict(settings.loss_weights), settings.experiment.view_fusion)
    listed = list_data(settings.data, settings.train_class)
    refuse_replacing_samples(listed.all_samples, settings.written())
    begin_log()
    backbone, encoder = load_encoder(settings.model, settings.encoding, processes)
    learner = make_learner(settings, backbone)
    data = listed.for_training(picture_size(settings.data, backbone))
    record = record_of_training(settings, encoder, data, learner)
    state_facts = {name: value for name, value in repeatable(record).items() if name != "epochs"}
    processes.require_same(state_facts)
    learning = learning_settings(settings)
    state = find_state(settings, state_facts, processes)
    if state is not None:
        check_training_state(
            state,
            folder / STATE_NAME,
            backbone=backbone,
            learner=learner,
            settings=learning,
            samples=len(data.samples),
        )
    if not _is_left_to_train(settings, state, record, processes):
        return

    logger.info("training on %d samples of %s", len(data.samples), settings.train_class)
    examples = load_examples(
        encoder,
        data.samples,
        path=path,
        num_workers=settings.data.num_workers,
        description="encoding" if processes.is_first else None,
        processes=processes,
    )
    log_encoded(encoder, processes)
    record = _with_content(record, examples)
    training = Training(backbone, learner, examples, learning, processes)
    if state is not None:
        training.restore(state)
        logger.info("continuing after epoch %d", len(training.history))
        if scalars is not None:  # it may not have been asked for before
            _add_scalars(scalars, training.history, settings)
        record = replace(record, earlier_code=earlier_code(folder, len(training.history)))
    elif processes.is_first and settings.restart:
        discard_training(folder)
    if processes.is_first:
        write_run(record, folder)
        learned = len(training.history)
        if is_saved(learned, settings) and not is_whole(checkpoint_file(folder, learned)):
            save_checkpoint(learner, folder, learned, record)  # the state has this epoch, the folder has not
    try:
        _learn(training, learner, settings, record, state_facts, processes, scalars)
    except DivergenceError:
        if processes.is_first and training.history:  # --save_freq may have left the last good prompts out
            save_checkpoint(learner, folder, len(training.history), record)
        raise
    logger.info("prompts saved in %s", folder)


def _is_left_to_train(
    settings: TrainSettings, state: dict[str, Any] | None, record: TrainingRecord, processes: Processes
) -> bool:
    """Whether the training is not complete already; the folder must not hold another one, see `check_folder`."""
    folder = settings.save_path
    is_new = processes.is_first and state is None and not settings.restart
    if is_new:
        check_folder(folder, repeatable(record))
    if is_finished(settings, state, processes):
        return False
    if is_new and checkpoint_files(folder):
        message = "%s: holds prompts but no %s to continue from; training begins again with the first epoch"
        logger.warning(message, folder, STATE_NAME)
    if processes.is_first and settings.restart and not (folder / STATE_NAME).is_file():
        check_restart(folder)
    return True


def _with_content(record: TrainingRecord, examples: TrainingExamples) -> TrainingRecord:
    """The record with what is known once the samples are read."""
    return replace(
        record,
        masks=f"{examples.masks:x}",
        pictures=f"{examples.content:x}",
        scans=record.of_views(examples.scans),
        renderings=" ".join(dict.fromkeys(" ".join((record.renderings or "", *examples.renderings)).split())),
    )


def _learn(
    training: Training,
    learner: PromptLearner,
    settings: TrainSettings,
    record: TrainingRecord,
    state_facts: dict[str, Any],
    processes: Processes,
    scalars: Scalars | None,
) -> None:
    """Every epoch with what the first process says and writes about it."""
    folder = settings.save_path
    for losses in training.epochs():
        if not processes.is_first:
            continue
        if losses.epoch % settings.print_every == 0:
            described = ", ".join(f"{name} {value:.4f}" for name, value in losses.means.items())
            logger.info("epoch %d/%d: %s", losses.epoch, settings.epochs, described)
        write_losses(training.history, folder / LOSSES_NAME)
        if scalars is not None:
            _add_scalars(scalars, [losses], settings)
        # What comes before the state is written again when the run is cut off here. The prompts come after it: by
        # those of the last epoch a training is known to be finished, and those that are missing are saved from it.
        save_training_state(folder / STATE_NAME, training.state(), state_facts)
        if is_saved(losses.epoch, settings):
            save_checkpoint(learner, folder, losses.epoch, record)


def _add_scalars(scalars: Scalars, epochs: Sequence[EpochLosses], settings: TrainSettings) -> None:
    for losses in epochs:
        scalars.add(losses.epoch, losses.means, dict(settings.loss_weights))


def is_saved(epoch: int, settings: TrainSettings) -> bool:
    """Whether the prompts after so many epochs, from 0, are kept."""
    return epoch > 0 and (epoch % settings.save_every == 0 or epoch == settings.epochs)


def find_state(settings: TrainSettings, facts: dict[str, Any], processes: Processes) -> dict[str, Any] | None:
    """The state to continue from, the same for all processes; None when there is none, or none is wanted.

    Raises:
        InputError: the state belongs to a training with other flags.
    """
    state = None
    if processes.is_first and not settings.restart:
        state = load_training_state(settings.save_path / STATE_NAME, facts, FLAG_OF_FACT)
    return processes.broadcast(state)


def earlier_code(folder: Path, learned: int) -> tuple[str, ...] | None:
    """The fingerprints of other code that began the training in a folder, which is logged; None if there was none.

    Args:
        folder: of the training; without `run.json`, the file beside the last checkpoint tells.
        learned: the epochs that are learned already.
    """
    beside = (origin_file(checkpoint_file(folder, epoch)) for epoch in range(learned, 0, -1))
    path = next(filter(is_file, (folder / RUN_NAME, *beside)), None)
    if path is None:
        return None
    told = checked_record(TrainingRecord.from_json, read_json(path, START_AFRESH), path, START_AFRESH)
    before = told.provenance.code if told.provenance is not None else None
    others = (*(told.earlier_code or ()), *([before] if before not in (None, code_fingerprint()) else []))
    if others:
        logger.warning("%s: the first epochs were learned with other code (%s)", folder, ", ".join(others))
    return others or None


def is_finished(settings: TrainSettings, state: dict[str, Any] | None, processes: Processes = ALONE) -> bool:
    """Whether the training is complete already, which is logged; the prompts that it was for suffice without a state.

    Raises:
        InputError: the state was trained for more epochs than requested.
    """
    last = last_prompts(settings)
    whole = processes.broadcast(is_whole(last))
    learned = len(state["losses"]) if state is not None else settings.epochs if whole else 0
    if learned < settings.epochs or settings.restart:
        return False
    if whole or (learned > settings.epochs and last.is_file()):
        if processes.is_first:
            require_same_training_data(settings)
            log_trained(last, settings)
        return True
    if learned > settings.epochs:
        problem = f"holds {learned} epochs of training, more than --epoch {settings.epochs}"
        raise InputError(settings.save_path / STATE_NAME, problem, f"give --epoch {learned} or more, or {START_AFRESH}")
    return False


def last_prompts(settings: TrainSettings) -> Path:
    """The checkpoint of the last epoch."""
    return checkpoint_file(settings.save_path, settings.epochs)


def make_learner(settings: TrainSettings, backbone: ClipBackbone) -> PromptLearner:
    """Fresh prompts, or those of --init_checkpoint."""
    prompts = settings.prompts
    counts = {"context_tokens": prompts.context_tokens, "deep_tokens": prompts.deep_tokens, "depth": prompts.depth}
    noun = spoken_name(settings.train_class) if prompts.object_aware else OBJECT_NAME
    if settings.init_checkpoint is not None:
        learner = load_prompt_learner(settings.init_checkpoint, backbone, **counts)
        if not learner.says(backbone, noun):  # the stored embeddings are kept otherwise
            learner.name_object(backbone, noun)
        return learner
    defaults = {"context_tokens": CONTEXT_TOKENS, "deep_tokens": DEEP_TOKENS, "depth": min(DEPTH, backbone.text.depth)}
    return PromptLearner(
        backbone,
        **{name: defaults[name] if value is None else value for name, value in counts.items()},
        object_name=noun,
        generator=torch.Generator().manual_seed(settings.seed),
    )


def learning_settings(settings: TrainSettings) -> TrainingSettings:
    """What the training itself must know."""
    return TrainingSettings(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        loss_weights=dict(settings.loss_weights),
    )
