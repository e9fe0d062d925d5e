"""The folder of a training: which run it belongs to, and what each of its checkpoints was learned from.

A checkpoint has the released format, which says nothing about its origin. So `epoch_<n>.json` lies beside
`epoch_<n>.pth`: the facts of `run.json`, the epoch, and the SHA-256 of the checkpoint that they are about. Whoever
copies the two files together takes the training class along.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.evaluation.run_record import TrainingRecord, repeatable
from pointad.evaluation.run_schema import checked_record
from pointad.files.atomic import atomic_path
from pointad.files.json_files import read_json
from pointad.files.presence import is_file

RUN_NAME = "run.json"
CHECKPOINTS = "epoch_*.pth"
_MAY_GROW = frozenset({"epochs"})  # facts that the same run may change
_REMEDY = "remove it, or train again"


def checkpoint_file(folder: Path, epoch: int) -> Path:
    """Where the prompts after an epoch are kept."""
    return folder / f"epoch_{epoch}.pth"


def origin_file(checkpoint: Path) -> Path:
    """What says where a checkpoint comes from."""
    return checkpoint.with_suffix(".json")


def write_origin(checkpoint: Path, facts: Mapping[str, Any], epoch: int) -> None:
    """Say beside a checkpoint what it was learned from.

    Args:
        checkpoint: as it was written.
        facts: of the run.
        epoch: after which the checkpoint was written.

    Raises:
        InputError: the file cannot be written.
    """
    content = {**facts, "epoch": epoch, "sha256": _digest(checkpoint)}
    with atomic_path(origin_file(checkpoint)) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_origin(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint was learned from: by the file beside it, else by its folder's run.json; nothing without both.

    Raises:
        InputError: a file cannot be read, or belongs to another checkpoint.
    """
    path = origin_file(checkpoint)
    if is_file(path):
        facts = _read_facts(path, _REMEDY)
        if facts.get("sha256") not in (None, _digest(checkpoint)):
            raise InputError(path, f"is about another checkpoint than {checkpoint.name}", "remove or replace it")
        return facts
    path = checkpoint.with_name(RUN_NAME)
    return _read_facts(path, _REMEDY) if is_file(path) else {}


def check_folder(folder: Path, facts: Mapping[str, Any]) -> None:
    """Refuse to train into a folder that holds the checkpoints of another run.

    Args:
        folder: of the outputs, which need not be there.
        facts: of the run that is about to begin.

    Raises:
        InputError: there are checkpoints that were learned in another way, or nobody knows how.
    """
    if not any(folder.glob(CHECKPOINTS)):
        return
    remedy = "choose another --save_path, or remove it"
    path = folder / RUN_NAME
    if not is_file(path):
        raise InputError(folder, f"holds checkpoints without {RUN_NAME}, maybe of another run", remedy)
    found = repeatable(TrainingRecord.from_json(_read_facts(path, remedy)))
    different = [
        f"{name} was {found[name]}, now {facts[name]}"
        for name in facts
        if name not in _MAY_GROW and found.get(name) is not None and found[name] != facts[name]
    ]
    if different:
        raise InputError(folder, f"holds the checkpoints of another run ({'; '.join(different)})", remedy)


def _read_facts(path: Path, remedy: str) -> dict[str, Any]:
    facts = read_json(path, remedy)
    checked_record(TrainingRecord.from_json, facts, path, remedy)
    return facts


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})", "check the path") from error
