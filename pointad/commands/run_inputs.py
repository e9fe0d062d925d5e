"""What train.py and test.py were given: flags, the content of named files, weights and data, without loading them."""

import argparse
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.commands.settings import DEMO_WEIGHTS, DataSettings, ModelSettings
from pointad.data.folder_content import FolderContent, folder_content
from pointad.data.layout import STORED
from pointad.evaluation.run_record import Inputs
from pointad.files.digests import file_digest
from pointad.files.presence import is_file, is_folder
from pointad.model.model_folder import files_of_weights
from pointad.model.weight_locations import demo_folder, place_of

# Flags that change no figure, or that are compared by what they lead to.
_ELSEWHERE = frozenset(
    {
        *("save_path", "data_path", "checkpoint_path", "clip_weights"),
        *("device", "num_workers", "pictures_at_once", "compile"),
        *("print_freq", "save_freq", "restart", "resume", "tensorboard", "epoch"),
        *("save_maps", "visualize", "skip_finished", "allow_mismatch"),
    }
)
_NAMED_FILES = ("init_checkpoint", "rig", "sample_table")
_LENGTH = 16  # hexadecimal digits


@dataclass(frozen=True)
class Given:
    """Everything that a program was given."""

    inputs: Inputs  # as it goes into the record
    content: FolderContent | None  # the files of the data; None: the demo data, which are yet to be made
    is_rendered: bool  # a data set of the published layout, not raw scans


def read_given(
    flags: argparse.Namespace,
    data: DataSettings,
    model: ModelSettings,
    *,
    leave_out: tuple[str, ...] = (),
    with_good: bool = False,
) -> Given:
    """Look at everything that a program was given.

    Args:
        flags: parsed.
        data: the data set.
        model: the CLIP.
        leave_out: flags that change no figure of this program.
        with_good: whether good scans outside the test split play a part.

    Raises:
        InputError: a file of weights cannot be read.
    """
    named = {name: place_of(Path(str(value))) for name in _NAMED_FILES if (value := getattr(flags, name, None))}
    named = {name: place for name, place in named.items() if is_file(place)}
    asked = {
        # Whether features are rounded counts, not where they are kept.
        name: json.dumps(value is not None if name == "feature_cache" else _plain(value), sort_keys=True)
        for name, value in vars(flags).items()
        if name not in _ELSEWHERE and name not in leave_out and name not in named
    }
    is_there = not data.make_if_missing or is_folder(data.folder)
    content = folder_content(data.folder, with_good=with_good) if is_there else None
    inputs = Inputs(
        flags=asked,
        named={name: _digest([path, *filter(is_file, [path.with_suffix(".json")])]) for name, path in named.items()},
        weights=weights_fingerprint(model.clip_weights),
        data=None if content is None else content.fingerprint,
        folder=os.path.realpath(data.folder),
    )
    return Given(inputs, content, data.render == STORED)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def weights_fingerprint(named: str) -> str:
    """A fingerprint of all files that CLIP weights are read from, configurations included; of a name, the name."""
    if named == DEMO_WEIGHTS:
        return f"{named} {_digest(sorted(demo_folder().glob('demo_clip.*')))}"
    place = place_of(Path(named))
    return _digest(files_of_weights(place)) if is_file(place) or is_folder(place) else named


def _digest(paths: Iterable[Path]) -> str:
    """A fingerprint of the content of files, in this order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(file_digest(path))
    return digest.hexdigest()[:_LENGTH]
