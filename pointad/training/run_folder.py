"""The output folder of a training run: the run that it belongs to, and the origin of each of its checkpoints.

A checkpoint has the released format, which does not record its origin. So `epoch_<n>.json` is stored beside
`epoch_<n>.pth`, with the facts of `run.json`, the epoch, and the SHA-256 of the checkpoint that they describe. If the
two files are copied together, the training class is preserved.
"""

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.evaluation.run_record import TrainingRecord, repeatable, unlike
from pointad.evaluation.run_schema import checked_record
from pointad.files.atomic import remove_file
from pointad.files.digests import file_digest
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json, write_json
from pointad.files.regular import refuse_special

logger = logging.getLogger(__name__)

RUN_NAME = "run.json"
STATE_NAME = "training_state.pt"
LOSSES_NAME = "losses.csv"
_CHECKPOINT = re.compile(r"epoch_(0|[1-9][0-9]*)\.pth")
_ORIGIN = re.compile(r"epoch_(0|[1-9][0-9]*)\.json")
_MAY_GROW = frozenset({"epochs"})  # facts that the same run may change
_REMEDY = "remove it, or train again"
_OTHER_FOLDER = "choose another --save_path, or remove it"


def checkpoint_file(folder: Path, epoch: int) -> Path:
    """The checkpoint file of an epoch."""
    return folder / f"epoch_{epoch}.pth"


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints that trainings wrote into a folder; files of other names, such as copies, are the user's."""
    return sorted(path for path in folder.glob("epoch_*.pth") if _CHECKPOINT.fullmatch(path.name))


def checkpoints_and_origins(folder: Path) -> list[Path]:
    """The same with the files that record their origins, with or without their checkpoints."""
    return [path for path in folder.glob("epoch_*") if _CHECKPOINT.fullmatch(path.name) or _ORIGIN.fullmatch(path.name)]


def origin_file(checkpoint: Path) -> Path:
    """The file that records the origin of a checkpoint."""
    return checkpoint.with_suffix(".json")


def is_whole(checkpoint: Path) -> bool:
    """Whether a checkpoint is there, and beside it what it was learned from, which is written after it.

    Raises:
        InputError: that describes the prompts of another epoch, as where both files were copied or renamed.
    """
    origin = origin_file(checkpoint)
    if not checkpoint.is_file() or not origin.is_file():
        return False
    epoch = _read_facts(origin, _REMEDY).get("epoch")
    if epoch is not None and checkpoint_file(checkpoint.parent, epoch) != checkpoint:
        raise InputError(origin, f"describes the prompts of epoch {epoch}", "rename or remove it and its prompts")
    return True


def write_origin(checkpoint: Path, facts: Mapping[str, Any], epoch: int) -> None:
    """Record the origin of a checkpoint in a file beside it.

    Args:
        checkpoint: as it was written.
        facts: of the run.
        epoch: after which the checkpoint was written.

    Raises:
        InputError: the file cannot be written.
    """
    content = {**facts, "epoch": epoch, "sha256": _digest(checkpoint)}
    write_json(origin_file(checkpoint), content)


def read_origin(checkpoint: Path) -> dict[str, Any]:
    """The origin of a checkpoint: from the file beside it, or that of a checkpoint of which it is a renamed copy, else
    from its folder's run.json; empty if there is none. A link without one has the origin of what it leads to.

    Raises:
        InputError: a file cannot be read, or belongs to another checkpoint.
    """
    path = origin_file(checkpoint)
    if path != checkpoint and is_beside(path):  # given in place of the checkpoint, it is refused as one
        facts = _read_facts(path, _REMEDY)
        if facts.get("sha256") not in (None, _digest(checkpoint)):
            raise InputError(path, f"describes a checkpoint other than {checkpoint.name}", "remove or replace it")
        if not {"sha256", "training_class"}.isdisjoint(facts):  # else it is someone's own, such as notes
            return facts
    # Whether or not the checkpoint of that name is still there: it may be the one that was renamed.
    others = sorted(other for other in checkpoint.parent.glob("epoch_*.json") if _ORIGIN.fullmatch(other.name))
    found = [_read_facts(other, _REMEDY) for other in others if is_beside(other)]
    if found:
        digest = _digest(checkpoint)
        renamed = next((facts for facts in found if facts.get("sha256") == digest), None)
        if renamed is not None:
            return renamed
    if checkpoint.is_symlink() and (linked := read_origin(Path(os.path.realpath(checkpoint)))):
        return linked
    path = checkpoint.with_name(RUN_NAME)
    if not is_beside(path):
        return {}
    if found:
        logger.warning(
            "%s: no file says what it was learned from; it is assumed to belong to the run next to it", checkpoint
        )
    return _read_facts(path, _REMEDY)


def check_folder(folder: Path, facts: Mapping[str, Any]) -> None:
    """Refuse to train into a folder that holds the checkpoints of another run, or someone's own `run.json`.

    Args:
        folder: for the outputs; need not exist.
        facts: of the run that is about to start.

    Raises:
        InputError: there are checkpoints of another run, or of unknown origin, or `run.json` describes no training.
    """
    found = _recorded_run(folder)
    if not checkpoint_files(folder):
        return
    if found is None:
        raise InputError(folder, f"holds checkpoints without {RUN_NAME}, possibly of another run", _OTHER_FOLDER)
    told = repeatable(found)
    different = [
        f"{name} was {told[name]}, now {facts[name]}"
        for name in unlike(told, facts)
        if name in facts and name not in _MAY_GROW and told.get(name) is not None
    ]
    if different:
        raise InputError(folder, f"holds the checkpoints of another run ({'; '.join(different)})", _OTHER_FOLDER)


def check_restart(folder: Path) -> None:
    """Refuse to remove checkpoints of which nothing says that a training left them here.

    Args:
        folder: of the training that is to be discarded; need not exist.

    Raises:
        InputError: there are such checkpoints, or `run.json` describes no training.
    """
    if _recorded_run(folder) is None and checkpoint_files(folder):
        raise InputError(folder, f"holds checkpoints without {RUN_NAME}, which --restart would remove", _OTHER_FOLDER)


def _recorded_run(folder: Path) -> TrainingRecord | None:
    """The training that `run.json` describes; None if there is no such file."""
    path = folder / RUN_NAME
    if not is_beside(path):
        return None
    record = TrainingRecord.from_json(_read_facts(path, _OTHER_FOLDER))
    if record.training_class is None:
        raise InputError(path, "does not describe a training, and would be replaced", _OTHER_FOLDER)
    return record


def discard_training(folder: Path) -> None:
    """Remove what an earlier training left in its folder, so that it is not mistaken for part of the next one."""
    checkpoints = checkpoint_files(folder)
    if checkpoints or (folder / STATE_NAME).is_file():
        logger.info("restarting; the training in %s is discarded", folder)
    # Without its checkpoint, what says where it comes from would never be found again; the state and the losses alone
    # would be taken for those of the next training.
    pairs = [path for checkpoint in checkpoints for path in (origin_file(checkpoint), checkpoint)]
    earlier = (folder / STATE_NAME, folder / LOSSES_NAME, *pairs)
    for path in earlier:
        refuse_special(path)
    for path in earlier:
        remove_file(path)


def _read_facts(path: Path, remedy: str) -> dict[str, Any]:
    facts = read_json(path, remedy)
    checked_record(TrainingRecord.from_json, facts, path, remedy)
    return facts


def _digest(path: Path) -> str:
    return file_digest(path).hex()
