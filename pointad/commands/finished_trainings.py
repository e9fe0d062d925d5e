"""Tells trainings that are done from those that are missing, or that learned from other data."""

import logging
from pathlib import Path

from pointad.commands.finished_runs import (
    LONGEST_VALUE,
    differences,
    is_unreadable,
    require_same_data,
    spoken,
)
from pointad.commands.train_settings import TrainSettings
from pointad.errors import short
from pointad.evaluation.provenance import code_fingerprint
from pointad.evaluation.run_record import Inputs, TrainingRecord
from pointad.files.locks import remove_abandoned_lock
from pointad.training.run_folder import checkpoint_file, is_whole, read_origin

_TRAIN_AGAIN = "choose another --save_path (in scripts: SAVE or TRAINED), or give --restart to train again"
_LABELS = ("name", "data_name")  # flags that tell no trainings apart, yet tests take the name over

logger = logging.getLogger(__name__)


def is_trained(settings: TrainSettings) -> bool:
    """Whether the prompts are there that a training with these settings would leave, which is logged.

    False may also mean that it takes the model to know, as where the same weights come as another file.

    Raises:
        InputError: they were learned from other data under the same names.
    """
    last = checkpoint_file(settings.save_path, settings.epochs)
    if settings.restart or settings.given is None or not is_whole(last):
        return False
    if is_unreadable(settings):
        return False
    record, given = TrainingRecord.from_json(read_origin(last)), settings.given
    told = record.inputs
    if told is None or told.data is None or told.weights != given.inputs.weights or any(differences(told, given)):
        return False
    require_same_data(record, given, last, _TRAIN_AGAIN)
    log_trained(last, settings)
    remove_abandoned_lock(settings.save_path)
    return True


def log_trained(last: Path, settings: TrainSettings) -> None:
    """Say that the prompts of the last epoch are there, and which of the given flags and code play no part."""
    given = settings.given
    logger.info("%s already exists; use --restart to train again", last)
    if settings.tensorboard is not None:
        logger.info("--tensorboard has no effect: no epoch is left to learn")
    record = TrainingRecord.from_json(read_origin(last)) if is_whole(last) else TrainingRecord()
    code = None if record.provenance is None else record.provenance.code
    if code not in (None, code_fingerprint()):
        message = "%s: was learned with other code (%s); use --restart to train again"
        logger.warning(message, last, short(code, LONGEST_VALUE))
    before, now = (each.flags or {} for each in (record.inputs or Inputs(), given.inputs if given else Inputs()))
    for name in _LABELS:
        if name in before and before[name] != now.get(name, before[name]):
            message = "%s: keeps its --%s (%s); give another to test.py, or use --restart to train again"
            logger.warning(message, last, name, spoken(before[name]))


def require_same_training_data(settings: TrainSettings) -> None:
    """Refuse to take finished prompts for those of other data under the same names.

    Raises:
        InputError: they were learned from other data.
    """
    last = checkpoint_file(settings.save_path, settings.epochs)
    if settings.given is not None and is_whole(last):
        require_same_data(TrainingRecord.from_json(read_origin(last)), settings.given, last, _TRAIN_AGAIN)
