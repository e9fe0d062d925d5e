"""From the settings of test.py to the sets of prompts that are tested, with what is known about each."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from pointad.commands.finished_runs import untested
from pointad.commands.prompt_names import class_by_folders, refuse_repeated
from pointad.commands.test_settings import TestSettings
from pointad.compute.processes import ALONE, Processes
from pointad.datasets.class_names import unknown_class
from pointad.datasets.registry import DATASETS
from pointad.errors import InputError
from pointad.evaluation.agreement import differences, require_same_clip
from pointad.evaluation.provenance import file_fingerprint
from pointad.evaluation.run_record import (
    UNKNOWN_ORIGIN,
    RunRecord,
    TrainingRecord,
    classes_before,
    epoch_of,
    trainings_before,
)
from pointad.evaluation.same_dataset import protocol_name
from pointad.evaluation.scored_sample import PromptSet
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import check_prompts, load_prompt_learner
from pointad.model.prompt_learner import OBJECT_NAME
from pointad.model.text_features import learned_text_features, plain_text_features
from pointad.training.run_folder import read_origin
from pointad.training.terms import PUBLISHED_WEIGHTS

MATCHING_WEIGHTS = "give the matching --clip_weights and --clip_activation"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedPrompts:
    """A set of prompts, and what is known about its run."""

    prompts: PromptSet
    record: RunRecord


def load_prompt_sets(
    settings: TestSettings, backbone: ClipBackbone, record: RunRecord, classes: set[str]
) -> list[LoadedPrompts]:
    """Load every checkpoint that the settings name, or make the plain ensemble.

    Args:
        settings: of test.py.
        backbone: the CLIP that the prompts are for.
        record: what is known about the test whatever the prompts.
        classes: those of the data set to be tested.

    Raises:
        InputError: no checkpoint is named, or one cannot be used, such as one that was learned with another CLIP or
            from all these classes.
    """
    if settings.prompts.kind == "ensemble":
        record = replace(record, prompts="ensemble", object_aware=False)
        return [LoadedPrompts(PromptSet("ensemble", plain_text_features(backbone)), record)]
    loaded = [_load(path, settings, backbone, record, classes) for path in settings.checkpoints]
    refuse_repeated([one.prompts.name for one in loaded])
    return loaded


def left_to_test(
    settings: TestSettings, backbone_fingerprint: str, processes: Processes = ALONE
) -> TestSettings | None:
    """The same for all processes, once the CLIP is loaded; all of the test without --skip_finished.

    Raises:
        InputError: as in `untested`.
    """
    if not settings.skip_finished:
        return settings
    left = untested(settings, backbone_fingerprint) if processes.is_first else None
    return processes.broadcast(left)


def check_checkpoints(settings: TestSettings) -> None:
    """Check the prompts as far as possible without loading the model.

    Raises:
        InputError: no checkpoint is named where one is needed, or one cannot be read.
    """
    if settings.prompts.kind == "ensemble":
        if settings.checkpoints:
            raise InputError("--prompts ensemble", "does not use learned prompts", "omit --checkpoint_path")
        if settings.train_class:
            problem = "learned from no class, so none can be left out of the test"
            raise InputError("--prompts ensemble", problem, "omit --train_class")
        return
    if not settings.checkpoints:
        raise InputError("--checkpoint_path", "is missing", "give learned prompts, or use --prompts ensemble")
    if len(settings.checkpoints) > 1 and settings.train_class:
        remedy = "omit it: the class is taken from run.json next to each checkpoint, or from its folder's name"
        raise InputError("--train_class", "applies to a single checkpoint only", remedy)
    for path in settings.checkpoints:
        check_prompts(path, settings.model.clip_model, settings.model.clip_weights)


def _load(
    path: Path, settings: TestSettings, backbone: ClipBackbone, record: RunRecord, classes: set[str]
) -> LoadedPrompts:
    sizes = settings.prompts
    learner = load_prompt_learner(
        path, backbone, context_tokens=sizes.context_tokens, deep_tokens=sizes.deep_tokens, depth=sizes.depth
    )
    origin = read_origin(path)
    told = TrainingRecord.from_json(origin) if origin else None
    known = told or TrainingRecord()
    if settings.train_class is not None:
        _check_training_class(settings.train_class, known.training_class, classes, settings, path)
    folder = path.resolve().parent.name
    own_dataset = settings.data.dataset.name
    named = (own_dataset, folder) if folder in classes else class_by_folders(path)
    training_class = settings.train_class or known.training_class or named[1]
    training_dataset = known.training_dataset or (own_dataset if training_class in classes else None)
    if training_dataset is None and training_class == named[1]:
        training_dataset = named[0]
    same_dataset = training_dataset in (None, own_dataset)
    learned = {training_class} if same_dataset else set()
    left_out = frozenset(classes & (learned | set(classes_before(known, own_dataset))))
    if training_class is None:
        logger.info("%s: training class unknown, so no class is left out (give --train_class to leave one out)", path)
    elif settings.train_class is None and known.training_class is None:
        of = f" of {training_dataset}" if training_dataset != own_dataset else ""
        message = "%s: taken to be trained on %s%s, as its folder is called (or give --train_class)"
        logger.info(message, path, folder, of)
    if UNKNOWN_ORIGIN in trainings_before(known):
        message = (
            "%s: began with prompts of which nothing says what they were learned from; no class is left out for them"
        )
        logger.warning(message, path)
    if left_out == classes:
        noun = "class" if len(classes) == 1 else "classes"
        problem = f"contain no class other than the training {noun} of {path}"
        raise InputError("test data", problem, "choose another data set, or omit these prompts")
    if not settings.allow_mismatch:
        require_same_clip(path, known, record, f"{MATCHING_WEIGHTS}, or add --allow_mismatch")
    says_class = not learner.says(backbone, OBJECT_NAME) if known.object_aware is None else known.object_aware
    object_aware = settings.prompts.object_aware or says_class
    different = differences(known, record, same_dataset=same_dataset)
    if object_aware and not says_class:
        different += (f"trained with {OBJECT_NAME!r} instead of the class",)
    if different:
        logger.warning("%s: tested with other settings than in training: %s", path, "; ".join(different))
    record = replace(
        record,
        name=record.name or known.name,
        prompts="learned",
        object_aware=object_aware,
        checkpoint=str(path),
        checkpoint_fingerprint=file_fingerprint(path),
        epoch=epoch_of(path, known),
        training_class=training_class,
        training_dataset=training_dataset,
        depth=learner.depth,
        losses=known.losses or tuple(PUBLISHED_WEIGHTS),
        seed=known.seed,
        differences=different,
        training=told,
    )
    record = replace(record, protocol=protocol_name(record, classes))
    if training_class is not None and not record.protocol:
        message = (
            "%s: whether the data set that it was learned from is the tested one is not known, and so neither the "
            "protocol (one --data_name in training and test says that it is, two that it is not)"
        )
        logger.info(message, path)
    text_features = learned_text_features(backbone, learner, object_aware=object_aware)
    return LoadedPrompts(PromptSet(training_class or folder, text_features, left_out), record)


def _check_training_class(name: str, told: str | None, classes: set[str], settings: TestSettings, path: Path) -> None:
    """Refuse another class than the prompts were trained on, or one that no data set has: the class would be tested.

    Args:
        name: what --train_class says.
        told: what the file next to the checkpoint says.
        classes: those that are tested.
        settings: of test.py.
        path: of the checkpoint.

    Raises:
        InputError: the file says otherwise, or the name is neither one of these nor a class of another data set.
    """
    if told not in (None, name):
        raise InputError(path, f"was trained on {told}, not on {name}", "omit --train_class")
    known = {one for dataset in DATASETS.values() for one in dataset.classes}
    if told is None and name not in classes | known:
        raise unknown_class(name, sorted(classes), settings.data.folder)
