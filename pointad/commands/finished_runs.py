"""Tells work that is done from work that is missing, or that was done with other flags, weights or data.

Trainings and tests record what they were given (:class:`pointad.evaluation.run_record.Inputs`) in the same files as
what they made of it, so that the record can never be that of another run.
"""

import contextlib
import datetime
import json
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pointad.commands.prompt_names import prompts_name, refuse_repeated
from pointad.commands.run_inputs import Given
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.errors import InputError, short, shown
from pointad.evaluation.companions import Companions, has_fingerprint
from pointad.evaluation.protocol import supervision_of
from pointad.evaluation.provenance import code_fingerprint, file_fingerprint
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import Inputs, PipelineRecord, TrainingRecord, epoch_of
from pointad.evaluation.sample_outputs import is_unfinished
from pointad.files.locks import remove_abandoned_lock
from pointad.files.names import place_below
from pointad.files.presence import is_file, is_folder
from pointad.training.run_folder import read_origin

RESULTS_NAME = "results.json"
_TEST_AGAIN = f"choose another --save_path (in scripts: SAVE), or remove that {RESULTS_NAME} to test again"
LONGEST_VALUE = 200  # characters of a flag's value that are shown
_LONGEST_PLACE = 1000  # characters of a folder that are shown
_NOT_GIVEN = "not given"
_SECOND = 1.0  # that dates in records are rounded down to

logger = logging.getLogger(__name__)


def is_unreadable(settings: TrainSettings | TestSettings) -> bool:
    """Whether the data are missing or broken, which the program says best; the demo's are made when they are needed."""
    return settings.given is not None and settings.given.content is None and not settings.data.make_if_missing


def untested(settings: TestSettings, backbone_fingerprint: str | None = None) -> TestSettings | None:
    """What is left of a test: the settings with the prompts whose results are missing; None if there are none.

    Results that are there are logged, and those of prompts that have been trained again count as missing.

    Args:
        settings: of a test with --skip_finished.
        backbone_fingerprint: of the CLIP; before it is loaded, results of other files of weights count as missing.

    Raises:
        InputError: results were made with other flags, weights or data, or for another epoch.
    """
    with _held_back() as records:
        left = _left(settings, backbone_fingerprint)
    if left is None or backbone_fingerprint is not None:  # otherwise all is looked at again, and told then
        for record in records:
            logger.handle(record)
    return left


@contextlib.contextmanager
def _held_back() -> Iterator[list[logging.LogRecord]]:
    """Collect what is logged here, instead of telling it."""
    records: list[logging.LogRecord] = []

    def keep(record: logging.LogRecord) -> bool:
        records.append(record)
        return False

    logger.addFilter(keep)
    try:
        yield records
    finally:
        logger.removeFilter(keep)


def _left(settings: TestSettings, backbone_fingerprint: str | None) -> TestSettings | None:
    if settings.given is None or is_unreadable(settings):
        return settings
    if not settings.checkpoints:
        # Without prompts that it needs, no test is finished.
        is_whole_command = settings.prompts.kind == "ensemble"
        done = is_whole_command and _is_tested(settings, None, settings.save_path, backbone_fingerprint)
        return None if done else settings
    names = [prompts_name(path) for path in settings.checkpoints]
    refuse_repeated(names)
    missing = []
    for name, path in zip(names, settings.checkpoints, strict=True):
        folder = place_below(settings.save_path, name) if settings.several else settings.save_path
        if not _is_tested(settings, path, folder, backbone_fingerprint):
            missing.append(path)
    remove_abandoned_lock(settings.save_path)
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
        if results is None:
            return False
        told = results.run.inputs
        if told is None or told.data is None:  # of an older version
            logger.info("%s: does not say what it was made from; tested again", place)
            return False
        epoch = None if checkpoint is None else epoch_of(checkpoint, TrainingRecord.from_json(read_origin(checkpoint)))
        if None not in (epoch, results.run.epoch) and epoch != results.run.epoch:
            problem = f"was made with the prompts of epoch {results.run.epoch}, not {epoch}"
            raise InputError(place, problem, _TEST_AGAIN)
        different = "; ".join(differences(told, given))
        if different:
            raise InputError(place, f"was made with other flags ({different})", _TEST_AGAIN)
        if told.weights != given.inputs.weights and results.run.backbone_fingerprint != backbone:
            if backbone is None:
                return False
            raise InputError(place, f"was made with other weights ({results.run.clip_weights})", _TEST_AGAIN)
        require_same_data(results.run, given, place, _TEST_AGAIN)
        if not (_are_of(results, checkpoint, settings.train_class) and _is_complete(results, place.parent, settings)):
            return False
        code = results.run.provenance.code if results.run.provenance is not None else None
        if code not in (None, code_fingerprint()):
            message = "%s: was made with other code (%s); remove it to test again"
            logger.warning(message, place, short(code, LONGEST_VALUE))
    logger.info("already tested (%s), kept", ", ".join(shown(place) for place in places))
    remove_abandoned_lock(folder)
    return True


def _results(place: Path) -> Results | None:
    if not is_file(place):
        return None
    try:
        return Results.load(place)
    except InputError as error:
        logger.warning("%s; tested again", error)
        return None


def _are_of(results: Results, checkpoint: Path | None, train_class: str | None) -> bool:
    """Whether the tested prompts are still these, and known to be learned from the same."""
    if checkpoint is None:
        return True
    run = results.run
    if run.checkpoint_fingerprint != file_fingerprint(checkpoint):
        return False
    origin = read_origin(checkpoint)
    told = TrainingRecord.from_json(origin) if origin else None
    learned = train_class or (None if told is None else told.training_class)
    if learned is None:  # then it is their folder's name, if there is such a class
        folder = checkpoint.resolve().parent.name
        learned = folder if folder in (*results.classes, run.training_class) else None
    return run.training == told and run.training_class == learned


def _is_complete(results: Results, folder: Path, settings: TestSettings) -> bool:
    """Whether the maps and pictures are there that are asked for."""
    files = results.files
    if settings.shots:
        return True
    if files is None or is_unfinished(folder) or not _are_there(files, folder):
        return False
    return (files.maps or not settings.save_maps) and (files.pictures or not settings.visualize)


def _are_there(files: Companions, folder: Path) -> bool:
    """Whether what was written with the results is still beside them; of maps and pictures, whether any is."""
    tables = {"scores.csv": files.scores, "curves.json": files.curves}
    folders = {"maps": files.maps, "visualization": files.pictures}
    if not all(is_folder(folder / name) for name, is_told in folders.items() if is_told):
        return False
    return all(is_file(folder / name) and has_fingerprint(folder / name, told) for name, told in tables.items())


def differences(told: Inputs, given: Given) -> Iterator[str]:
    """What differs in flags, and in the files that they name, in words.

    Versions of the program know different flags. One that the record does not know of counts if it is given; of one
    that this version does not know, the value is logged unless it was not given.
    """
    before, now = told.flags or {}, given.inputs.flags or {}
    named_before, named_now = told.named or {}, given.inputs.named or {}
    for name in sorted({*before, *now}):
        if name in before and name in now:
            if before[name] != now[name]:
                yield f"--{name} was {spoken(before[name])}, now {spoken(now[name])}"
        elif name in now:
            if name in given.chosen and name not in named_before:
                yield f"--{name} was not known, now {spoken(now[name])}"
        elif name not in named_now and spoken(before[name]) != _NOT_GIVEN:
            unknown = (short(name, LONGEST_VALUE), spoken(before[name]))
            logger.warning("--%s was %s in an earlier run; this version does not know it", *unknown)
    for name in sorted({*named_before, *named_now}):
        was, is_now = (short(named.get(name, "none"), LONGEST_VALUE) for named in (named_before, named_now))
        if named_before.get(name) != named_now.get(name):
            yield f"the content of --{short(name, LONGEST_VALUE)} was {was}, now {is_now}"


def spoken(value: str) -> str:
    """A flag's value from its record, as on a command line."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    if found is None or found is False or found == []:
        return _NOT_GIVEN
    words = found if isinstance(found, list) else [found]
    return short(" ".join("given" if word is True else str(word) for word in words), LONGEST_VALUE)


def require_same_data(record: PipelineRecord, given: Given, made: Path, remedy: str) -> None:
    """Refuse what was made from other data; warn of files that have changed since.

    Raw scans in the same folder are the same data: other files may lie beside them.

    Args:
        record: what the file says about the run that made it.
        given: what the program is given now.
        made: the file.
        remedy: what to do about it.

    Raises:
        InputError: it was made from other data.
    """
    told, now, content = record.inputs or Inputs(), given.inputs, given.content
    if content is None:  # demo data that are not there
        return
    if told.data not in (None, now.data):
        is_same_folder = told.folder == now.folder
        changes = f"files in {short(now.folder, _LONGEST_PLACE)} were added, removed or changed since"
        if given.is_listed or not is_same_folder:
            place = f"by the names, sizes or content of their files (in {short(told.folder, _LONGEST_PLACE)})"
            raise InputError(made, f"was made from other data: {changes if is_same_folder else place}", remedy)
        logger.warning("%s: %s; %s", made, changes, remedy)
    elif content.newest is not None and content.changed > _begun(record, made):
        logger.warning("%s was changed since %s was made; %s", content.newest, made, remedy)


def _begun(record: PipelineRecord, made: Path) -> float:
    """When a run began to read its data, as the record says it; copies of its files are newer, and so is their end."""
    known = [math.inf]
    with contextlib.suppress(OSError):  # it has been removed meanwhile
        known.append(made.stat().st_mtime)
    date = None if record.provenance is None else record.provenance.date
    with contextlib.suppress(ValueError, OverflowError, OSError):  # a record may say anything
        known += [] if date is None else [datetime.datetime.fromisoformat(date).timestamp() + _SECOND]
    return min(known)
