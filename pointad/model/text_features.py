"""Text features of a class, from learned prompts or the plain ensemble, saying "object" or the class's name."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_ensemble import ensemble_text_features
from pointad.model.prompt_learner import OBJECT_NAME, PromptLearner
from pointad.model.text import check_text_features


def spoken_name(class_name: str) -> str:
    """A class's name as a prompt says it: ``cable_gland`` becomes "cable gland", ``CandyCane`` "candy cane"."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in class_name)
    return " ".join(spaced.replace("_", " ").split()).lower()


def learned_text_features(
    backbone: ClipBackbone, learner: PromptLearner, *, object_aware: bool = False
) -> Callable[[str], Tensor]:
    """Text features of learned prompts by class.

    Args:
        backbone: provides the text encoder.
        learner: the learned prompts.
        object_aware: whether the prompts say the class's name instead of "object".

    Returns:
        A function from a class's name to (2, D), normal and anomalous, L2-normalized; computed once per name.
    """

    @cache
    @torch.no_grad()
    def text_features(name: str) -> Tensor:
        if object_aware:  # otherwise the embeddings stored in the checkpoint are kept
            learner.name_object(backbone, name)
        return check_text_features(learner(backbone.text), f"learned prompt '{name}'")

    return lambda class_name: text_features(spoken_name(class_name) if object_aware else OBJECT_NAME)


def plain_text_features(backbone: ClipBackbone) -> Callable[[str], Tensor]:
    """Text features of the plain prompt ensemble, which says "object" for every class; result as above."""

    @cache
    def text_features() -> Tensor:
        return check_text_features(ensemble_text_features(backbone), f"prompt ensemble '{OBJECT_NAME}'")

    return lambda class_name: text_features()
