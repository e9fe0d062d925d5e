"""Checks whether prompts are used with the settings that they were trained with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pointad.errors import InputError, counted
from pointad.evaluation.run_record import PipelineRecord, TrainingRecord
from pointad.scoring.back_projection import MEAN

_TITLES = {
    "features_list": "blocks",
    "image_size": "pictures of",
    "point_size": "a grid of",
    "view_fusion": "views fused by",
    "normals": "normals",
    "visibility": "visibility",
    "correspondence": "correspondence",
    "point_pixels": "points of",
    "keep_clusters": "clusters kept:",
    "precision": "precision",
}


def differences(training: TrainingRecord, test: PipelineRecord, *, same_dataset: bool) -> tuple[str, ...]:
    """The settings that differed in training, such as "trained with blocks 4, 8"; unrecorded facts count as equal.

    Records without a fusion of the views are older than the choice: those trainings took the mean.

    Args:
        training: the settings of the training.
        test: the settings of the test.
        same_dataset: whether both use data of the same format; different formats have different rigs, of which only
            the number of views is compared.
    """
    if training != TrainingRecord() and training.view_fusion is None:
        training = replace(training, view_fusion=MEAN)
    found = []
    if _differ(training.backbone_fingerprint, test.backbone_fingerprint):
        found.append(f"another CLIP ({training.backbone or 'unnamed'})")
    for name, title in _TITLES.items():
        before, now = getattr(training, name), getattr(test, name)
        if _differ(before, now):
            found.append(f"{title} {_spoken(before)}")
    if training.views is not None and test.views is not None:
        if len(training.views) != len(test.views):
            found.append(counted(len(training.views), "view"))
        elif same_dataset and _differ(training.view_names, test.view_names):
            found.append(f"views {' '.join(training.view_names or ())}")
        elif same_dataset and training.view_names is None and training.views != test.views:
            found.append(f"views {_spoken(training.views)}")
    return tuple(f"trained with {text}" for text in found)


def require_same_clip(checkpoint: str | Path, training: TrainingRecord, used: PipelineRecord, remedy: str) -> None:
    """Refuse prompts that were learned with another CLIP, which are meaningless to this one.

    Args:
        checkpoint: the prompts, named by errors.
        training: the settings of the training.
        used: what the prompts are used with.
        remedy: what to do about it.

    Raises:
        InputError: it is known to be another CLIP.
    """
    if _differ(training.backbone_fingerprint, used.backbone_fingerprint):
        problem = f"was learned with another CLIP ({training.backbone or 'unnamed'}), not with {used.backbone}"
        raise InputError(checkpoint, problem, remedy)


def _differ(before: Any, now: Any) -> bool:
    return before is not None and now is not None and before != now


def _spoken(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
