"""The files that a program is given to be read: no result may replace one of them, whatever it is called."""

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pointad.data.sample_source import SampleSource
from pointad.errors import InputError
from pointad.files.names import seen_alike
from pointad.files.presence import is_file, is_folder
from pointad.model.model_folder import files_of_weights
from pointad.model.weight_locations import DEFAULT_MODEL, demo_folder, openai_file, place_of
from pointad.training.run_folder import origin_file

_OUTPUTS = ("save_path", "output", "html", "csv", "tensorboard", "feature_cache", "reference_cache")
_NAMES_OR_FILES = ("rig", "clip_weights")  # all other flags for files hold paths
_WEIGHTS = "clip_weights"
_PROMPTS = ("checkpoint_path", "init_checkpoint")


def refuse_replacing_inputs(flags: argparse.Namespace, written: Iterable[Path]) -> None:
    """Refuse results that would replace a file that another flag names, or the demo's weights.

    Args:
        flags: the parsed flags of any program.
        written: the files that it is to write or to remove.

    Raises:
        InputError: one of them would be replaced.
    """
    refuse_overwriting(named_files(flags), written)


def refuse_replacing_samples(samples: Iterable[SampleSource], written: Iterable[Path]) -> None:
    """The same for the files of the samples of a data set, raw or rendered."""
    present = list(filter(is_file, written))
    if present:  # otherwise the samples, which may be many, need no look
        refuse_overwriting((file for sample in samples for file in _files_of(sample)), present)


def refuse_overwriting(read: Iterable[Path], written: Iterable[Path]) -> None:
    """Refuse to replace a file that is read: results have fixed names, which may be those of other files.

    Whatever a file is called, it is known again: by a link, or in another case where the file system does not tell.
    A second name of it elsewhere (a hard link) may be replaced, as all files are by renaming.

    Args:
        read: scans, pictures and whatever else is read if it is there.
        written: the files of the results.

    Raises:
        InputError: a result would replace one of them.
    """
    places = set(filter(None, map(_entry, written)))
    for path in read:
        if _entry(path) in places:
            raise InputError(path, "would be replaced by a result of this name", "choose another name for it")


def named_files(flags: argparse.Namespace) -> list[Path]:
    """The files that flags name to be read, as far as they exist, and the demo's weights, which are read by default.

    With weights and prompts come the files beside them that are read too.
    """
    found = [path for path in demo_folder().glob("demo*") if is_file(path)]
    found += demo_folder().glob("demo/*/*")
    for name, value in vars(flags).items():
        for path in _paths(value, (str, Path) if name in _NAMES_OR_FILES else (Path,)) if name not in _OUTPUTS else ():
            place = place_of(path)
            if name == _WEIGHTS:
                found += _read_with_weights(place, getattr(flags, "clip_model", None))
            elif is_file(place):
                found += [place, origin_file(place)] if name in _PROMPTS else [place]
    return found


def _read_with_weights(place: Path, model: str | None) -> Iterable[Path]:
    if is_folder(place):
        return filter(is_file, place.iterdir())
    if not is_file(place):
        published = openai_file(model or DEFAULT_MODEL)
        return [] if published is None else [published]
    try:
        return files_of_weights(place)
    except InputError:  # whoever loads them says what is wrong
        return [place]


def _files_of(sample: SampleSource) -> Iterator[Path]:
    for path in vars(sample).values():
        if isinstance(path, Path):
            yield from path.iterdir() if is_folder(path) else [path]


def _paths(value: object, kinds: tuple[type, ...]) -> Iterator[Path]:
    values: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    for each in values:
        if isinstance(each, kinds) and "\0" not in str(each):
            yield Path(str(each))


def _entry(path: Path) -> tuple[object, ...] | None:
    """Where a file lies, or would lie, and which one it is; None if there is no such folder."""
    try:
        place = Path(os.path.realpath(path))
        folder = place.parent.stat()
    except (OSError, ValueError):
        return None
    try:
        file = place.stat()
    except OSError:
        return folder.st_dev, folder.st_ino, place.name
    return folder.st_dev, folder.st_ino, seen_alike(place.name), file.st_dev, file.st_ino
