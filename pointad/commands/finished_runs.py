"""Tells work that is done from work that is missing, or that was done with other flags, weights or data.

Trainings and tests record what they were given (:class:`pointad.evaluation.run_record.Inputs`) in the same files as
what they made of it, so that the record can never be that of another run.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pointad.commands.prompt_names import prompts_name, refuse_repeated
from pointad.commands.run_inputs import Given
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.errors import InputError, shown
from pointad.evaluation.protocol import supervision_of
from pointad.evaluation.provenance import code_fingerprint, file_fingerprint
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import Inputs, RunRecord, TrainingRecord, epoch_of
from pointad.evaluation.sample_outputs import is_unfinished
from pointad.files.names import place_below
from pointad.files.presence import is_file
from pointad.training.run_folder import checkpoint_file, is_whole, read_origin

RESULTS_NAME = "results.json"
_OTHER_FOLDER = "choose another --save_path, or remove it"

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
    told, now = TrainingRecord.from_json(read_origin(last)).inputs, settings.given.inputs
    if told is None or told.weights != now.weights or any(differences(told, now)):
        return False
    require_same_data(told, settings.given, last)
    log_trained(last)
    return True


def log_trained(last: Path) -> None:
    """Say that the prompts of the last epoch are there."""
    logger.info("%s already exists; use --restart to train again", last)


def require_same_training_data(settings: TrainSettings) -> None:
    """Refuse to take finished prompts for those of other data under the same names.

    Raises:
        InputError: they were learned from other data.
    """
    last = checkpoint_file(settings.save_path, settings.epochs)
    if settings.given is not None and is_whole(last):
        told = TrainingRecord.from_json(read_origin(last)).inputs
        if told is not None:
            require_same_data(told, settings.given, last)


def untested(settings: TestSettings, backbone_fingerprint: str | None = None) -> TestSettings | None:
    """What is left of a test: the settings with the prompts whose results are missing; None if there are none.

    Results that are there are logged, and those of prompts that have been trained again count as missing.

    Args:
        settings: of a test with --skip_finished.
        backbone_fingerprint: of the CLIP; before it is loaded, results of other files of weights count as missing.

    Raises:
        InputError: results were made with other flags, weights or data, or for another epoch.
    """
    if settings.given is None or not settings.checkpoints:
        done = settings.given is not None and _is_tested(settings, None, settings.save_path, backbone_fingerprint)
        return None if done else settings
    names = [prompts_name(path) for path in settings.checkpoints]
    refuse_repeated(names)
    missing = []
    for name, path in zip(names, settings.checkpoints, strict=True):
        folder = place_below(settings.save_path, name) if settings.several else settings.save_path
        if not _is_tested(settings, path, folder, backbone_fingerprint):
            missing.append(path)
    return replace(settings, checkpoints=tuple(missing)) if missing else None


def is_alone() -> bool:
    """Whether no other process takes part in the run, which all have to agree on what is left to do."""
    return os.environ.get("WORLD_SIZE", "1") == "1"


def _is_tested(settings: TestSettings, checkpoint: Path | None, folder: Path, backbone: str | None) -> bool:
    given = settings.given
    assert given is not None  # see untested
    folders = [folder / supervision_of(shots) for shots in settings.shots] or [folder]
    places = [each / RESULTS_NAME for each in folders]
    for place in places:
        results = _results(place)
        if results is None or results.run.inputs is None:
            return False
        told = results.run.inputs
        epoch = None if checkpoint is None else epoch_of(checkpoint)
        if None not in (epoch, results.run.epoch) and epoch != results.run.epoch:
            problem = f"was made with the prompts of epoch {results.run.epoch}, not {epoch}"
            raise InputError(place, problem, _OTHER_FOLDER)
        different = "; ".join(differences(told, given.inputs))
        if different:
            raise InputError(place, f"was made with other flags ({different})", _OTHER_FOLDER)
        if told.weights != given.inputs.weights and results.run.backbone_fingerprint != backbone:
            if backbone is None:
                return False
            raise InputError(place, f"was made with other weights ({results.run.clip_weights})", _OTHER_FOLDER)
        require_same_data(told, given, place)
        if not (_are_of(results.run, checkpoint) and _is_complete(results, place.parent, settings)):
            return False
        code = results.run.provenance.code if results.run.provenance is not None else None
        if code not in (None, code_fingerprint()):
            logger.warning("%s: was made with other code (%s); remove it to test again", place, code)
    logger.info("already tested (%s), kept", ", ".join(shown(place) for place in places))
    return True


def _results(place: Path) -> Results | None:
    if not is_file(place):
        return None
    try:
        return Results.load(place)
    except InputError as error:
        logger.warning("%s; tested again", error)
        return None


def _are_of(run: RunRecord, checkpoint: Path | None) -> bool:
    """Whether the tested prompts are still these, and known to be learned from the same."""
    if checkpoint is None:
        return True
    if run.checkpoint_fingerprint != file_fingerprint(checkpoint):
        return False
    origin = read_origin(checkpoint)
    return run.training == (TrainingRecord.from_json(origin) if origin else None)


def _is_complete(results: Results, folder: Path, settings: TestSettings) -> bool:
    """Whether the maps and pictures are there that are asked for."""
    files = results.files
    if settings.shots:
        return True
    if files is None or is_unfinished(folder) or not is_file(folder / "scores.csv"):
        return False
    return (files.maps or not settings.save_maps) and (files.pictures or not settings.visualize)


def differences(told: Inputs, now: Inputs) -> Iterator[str]:
    """What differs in flags, and in the files that they name, in words; a flag that one of them lacks does not count.

    Versions of the program know different flags, of which those that are not given have no effect.
    """
    for name, was, is_now in _unlike(told.flags or {}, now.flags or {}):
        yield f"--{name} was {_spoken(was)}, now {_spoken(is_now)}"
    before, after = told.named or {}, now.named or {}
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"the content of --{name} was {before.get(name, 'none')}, now {after.get(name, 'none')}"


def _unlike(told: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(told.keys() & now.keys()):
        if told[name] != now[name]:
            yield name, told[name], now[name]


def _spoken(value: str) -> str:
    """A flag's value from its record, as on a command line."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    if found is None or found is False or found == []:
        return "not given"
    words = found if isinstance(found, list) else [found]
    return " ".join("given" if word is True else str(word) for word in words)


def require_same_data(told: Inputs, given: Given, made: Path) -> None:
    """Refuse what was made from other data; warn of files that have changed since.

    Raw scans in the same folder are the same data: other files may lie beside them.

    Args:
        told: what the file says that it was made from.
        given: what the program is given now.
        made: the file.

    Raises:
        InputError: it was made from other data.
    """
    now, content = given.inputs, given.content
    if content is None or told.data is None:  # demo data that were not there
        return
    if told.data != now.data:
        if given.is_rendered or told.folder != now.folder:
            problem = f"was made from other data, by the names and sizes of their files (in {told.folder})"
            raise InputError(made, problem, _OTHER_FOLDER)
        message = "%s: files in %s were added, removed or changed since; remove the former to make it again"
        logger.warning(message, made, now.folder)
    elif content.newest is not None and content.changed > made.stat().st_mtime:
        logger.warning("%s is newer than %s; remove the latter to make it again", content.newest, made)
