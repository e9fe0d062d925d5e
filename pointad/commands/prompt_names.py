"""What sets of prompts, and the folders of their results, are called."""

from collections.abc import Sequence
from pathlib import Path

from pointad.datasets.registry import DATASETS
from pointad.errors import InputError
from pointad.evaluation.run_record import TrainingRecord
from pointad.training.run_folder import read_origin


def prompts_name(checkpoint: Path) -> str:
    """The training class, as the file beside the checkpoint says it, else the name of its folder.

    Raises:
        InputError: that file cannot be read, or belongs to another checkpoint.
    """
    return TrainingRecord.from_json(read_origin(checkpoint)).training_class or checkpoint.resolve().parent.name


def class_by_folders(checkpoint: Path) -> tuple[str, str] | tuple[None, None]:
    """Published data set and class as the folders of a checkpoint are called, such as those of the released prompts."""
    *_, dataset, name, _ = ("", "", *checkpoint.resolve().parts)
    known = dataset in DATASETS and name in DATASETS[dataset].classes
    return (dataset, name) if known else (None, None)


def refuse_repeated(names: Sequence[str]) -> None:
    """Refuse two sets of prompts of one name, whose results would replace each other.

    Raises:
        InputError: there are.
    """
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        problem = f"contains two checkpoints of {repeated}, by training class or folder; results are named after it"
        raise InputError("--checkpoint_path", problem, "test them one at a time")
