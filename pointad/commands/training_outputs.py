"""What a training leaves beside its state: prompts with their origin, `run.json` and `losses.csv`."""

import csv
from collections.abc import Sequence
from pathlib import Path

from pointad.evaluation.run_record import TrainingRecord, to_json
from pointad.files.atomic import atomic_path, remove_file
from pointad.files.json_files import write_json
from pointad.model.checkpoint import save_prompts
from pointad.model.prompt_learner import PromptLearner
from pointad.training.run_folder import RUN_NAME, checkpoint_file, origin_file, write_origin
from pointad.training.terms import LOSS_TERMS
from pointad.training.training import EpochLosses


def save_checkpoint(learner: PromptLearner, folder: Path, epoch: int, record: TrainingRecord) -> None:
    """Write the prompts, and next to them what they were learned from."""
    checkpoint = checkpoint_file(folder, epoch)
    remove_file(origin_file(checkpoint))  # it must never be next to another checkpoint
    save_prompts(learner, checkpoint)
    write_origin(checkpoint, to_json(record), epoch)


def write_run(record: TrainingRecord, folder: Path) -> None:
    """Say what is being trained, for test.py and for the reports."""
    write_json(folder / RUN_NAME, to_json(record))


def write_losses(history: Sequence[EpochLosses], path: Path) -> None:
    """One row a step, at full precision."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", *LOSS_TERMS])
        for losses in history:
            for step, values in enumerate(losses.steps.tolist(), start=1):
                writer.writerow([losses.epoch, step, *map(repr, values)])
