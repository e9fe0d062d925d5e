"""From the settings of test.py to the sets of prompts that are tested, with what is known about each."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.commands.test_settings import TestSettings
from pointad.errors import InputError
from pointad.evaluation.evaluation import PromptSet
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.text_features import learned_text_features, plain_text_features
from pointad.training.run_folder import read_origin
from pointad.training.terms import LOSS_TERMS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedPrompts:
    """A set of prompts and its part of ``results.json``'s "run"."""

    prompts: PromptSet
    facts: dict[str, Any]


def load_prompt_sets(settings: TestSettings, backbone: ClipBackbone, classes: set[str]) -> list[LoadedPrompts]:
    """Load every checkpoint that the settings name, or make the plain ensemble.

    Args:
        settings: of test.py.
        backbone: the CLIP that the prompts are for.
        classes: those of the data set to be tested.

    Raises:
        InputError: no checkpoint is named, or one cannot be used.
    """
    if settings.prompts.kind == "ensemble":
        if settings.checkpoints:
            raise InputError("--prompts ensemble", "learns nothing", "leave --checkpoint_path away")
        facts = {"prompts": "ensemble", "training_class": None, "checkpoint": None, "object_aware": False}
        return [LoadedPrompts(PromptSet("ensemble", plain_text_features(backbone)), facts)]
    if not settings.checkpoints:
        raise InputError("--checkpoint_path", "is missing", "name learned prompts, or use --prompts ensemble")
    if len(settings.checkpoints) > 1 and settings.train_class:
        remedy = "leave it away: run.json beside each checkpoint, or its folder's name, tells"
        raise InputError("--train_class", "fits a single checkpoint", remedy)
    loaded = [_load(path, settings, backbone, classes) for path in settings.checkpoints]
    names = [one.prompts.name for one in loaded]
    if len(set(names)) < len(names):
        raise InputError("--checkpoint_path", "names two checkpoints in folders of one name", "test them one by one")
    return loaded


def _load(path: Path, settings: TestSettings, backbone: ClipBackbone, classes: set[str]) -> LoadedPrompts:
    sizes = settings.prompts
    learner = load_prompt_learner(
        path, backbone, context_tokens=sizes.context_tokens, deep_tokens=sizes.deep_tokens, depth=sizes.depth
    )
    told = read_origin(path)
    if settings.train_class and told.get("training_class") not in (None, settings.train_class):
        logger.warning(
            "%s: --train_class %s, though it was learned from %s", path, settings.train_class, told["training_class"]
        )
    folder = path.resolve().parent.name
    training_class = settings.train_class or told.get("training_class") or (folder if folder in classes else None)
    own_dataset = settings.data.dataset.name
    training_dataset = told.get("training_dataset") or (own_dataset if training_class in classes else None)
    same_dataset = training_dataset in (None, own_dataset)
    left_out = frozenset(classes & {training_class}) if same_dataset else frozenset[str]()
    if training_class is None:
        logger.info("%s: training class unknown, no class is left out (--train_class names one)", path)
    object_aware = settings.prompts.object_aware or bool(told.get("object_aware"))
    facts = {
        "prompts": "learned",
        "object_aware": object_aware,
        "checkpoint": str(path),
        "training_class": training_class,
        "training_dataset": training_dataset,
        "protocol": "" if training_class is None else ("one-vs-rest" if left_out else "cross-dataset"),
        "depth": learner.depth,
        "losses": told.get("losses") or list(LOSS_TERMS),
        "seed": told.get("seed"),
    }
    text_features = learned_text_features(backbone, learner, object_aware=object_aware)
    return LoadedPrompts(PromptSet(training_class or folder, text_features, left_out), facts)
