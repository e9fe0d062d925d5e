"""What train.py and test.py were given: flags, the content of named files, weights and data, without loading them."""

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pointad.commands.settings import DEMO_WEIGHTS, REAL_WEIGHTS, DataSettings, ModelSettings
from pointad.data.folder_content import FolderContent, listed_content, raw_content, rendered_content
from pointad.data.layout import STORED
from pointad.datasets.folder import FOLDER, TABLE_NAME
from pointad.datasets.sample_table import read_sample_table
from pointad.errors import InputError
from pointad.evaluation.provenance import fingerprint
from pointad.evaluation.run_record import Inputs
from pointad.files.digests import file_digest
from pointad.files.presence import is_file, is_folder
from pointad.model.model_folder import files_of_weights
from pointad.model.weight_locations import DEFAULT_MODEL, demo_folder, openai_file, place_of
from pointad.rendering.views import View
from pointad.training.run_folder import read_origin

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
_PROMPTS = ("init_checkpoint",)
_RENDERING = ("normals", "visibility", "correspondence")  # of `DataSettings`, where a flag that is not given is settled
_PATTERNS = ("scan_pattern", "rgb_pattern", "mask_pattern")
_FILES = ("scan", "rgb", "mask")  # columns of a table of samples
_LENGTH = 16  # hexadecimal digits


@dataclass(frozen=True)
class Given:
    """Everything that a program was given."""

    inputs: Inputs  # as it goes into the record
    content: FolderContent | None  # the files of the data; None: missing, as demo data may be, or unreadable
    is_listed: bool  # a rendered data set, or a table of scans: whatever else lies in the folder plays no part
    chosen: frozenset[str]  # flags whose values are not those that they have anyway
    look: Callable[[], FolderContent | None]  # at the data once more

    def looked_again(self) -> "Given":
        """The same with the data as they are now, such as demo data that the program has made."""
        content = self.look()
        return replace(self, content=content, inputs=replace(self.inputs, data=_fingerprint(content)))


def read_given(
    flags: argparse.Namespace,
    data: DataSettings,
    model: ModelSettings,
    *,
    usual: argparse.Namespace,
    meant: Mapping[str, Any] | None = None,
    leave_out: tuple[str, ...] = (),
    class_name: str | None = None,
    with_good: bool = False,
) -> Given:
    """Look at everything that a program was given.

    Args:
        flags: parsed.
        data: the data set.
        model: the CLIP.
        usual: the flags of a command line without any.
        meant: values that flags have in effect where they are not given.
        leave_out: flags that change no figure of this program.
        class_name: the only class that plays a part; None: all do.
        with_good: whether good scans outside the test split play a part.

    Raises:
        InputError: a file that a flag names cannot be read.
    """
    named = {name: place_of(Path(str(value))) for name in _NAMED_FILES if (value := getattr(flags, name, None))}
    is_own = data.dataset.name == FOLDER.name and data.render != STORED
    if is_own and flags.scan_pattern is None:
        named.setdefault("sample_table", data.folder / TABLE_NAME)
    table = named.get("sample_table")
    named = {name: place for name, place in named.items() if is_file(place)}
    meant = {**{name: getattr(data, name) for name in _RENDERING}, **(meant or {})}
    asked = {
        # Whether features are rounded counts, not where they are kept.
        name: json.dumps(value is not None if name == "feature_cache" else _plain(value), sort_keys=True)
        for name, value in {**vars(flags), **meant}.items()
        if name not in _ELSEWHERE and name not in leave_out and name not in named
    }
    if data.render == STORED:
        look = partial(rendered_content, data.folder, class_name, with_good=with_good)
    elif is_own and table is not None:
        look = partial(_content_of_table, table)
    else:
        patterns = [pattern for name in _PATTERNS if (pattern := getattr(flags, name, None))] if is_own else []
        look = partial(raw_content, data.folder, with_good=with_good, patterns=patterns)
    content = look()
    inputs = Inputs(
        flags=asked,
        named={name: _content_of(path, is_prompts=name in _PROMPTS) for name, path in named.items()},
        weights=weights_fingerprint(model),
        data=_fingerprint(content),
        folder=os.path.realpath(data.folder),
    )
    chosen = frozenset(name for name, value in vars(flags).items() if value != getattr(usual, name, None))
    return Given(inputs, content, data.render == STORED or table is not None, chosen, look)


def _content_of_table(table: Path) -> FolderContent | None:
    try:
        rows = read_sample_table(table)
    except InputError:  # whoever reads the samples says what is wrong
        return None
    return listed_content(table.parent, (row[name] for row in rows for name in _FILES if row.get(name)))


def _fingerprint(content: FolderContent | None) -> str | None:
    return None if content is None else content.fingerprint


def _content_of(path: Path, *, is_prompts: bool) -> str:
    """A fingerprint of a file that a flag names; of prompts, also of what is known of how they were learned."""
    if not is_prompts:
        return _digest([path])
    return f"{_digest([path])} {fingerprint([json.dumps(read_origin(path), sort_keys=True)])}"


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, View):
        return value.name
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def looked_again(given: Given | None, data: DataSettings) -> Given | None:
    """What a program was given, once the demo data are there that it may have had to make, or to wait for."""
    return given.looked_again() if given is not None and data.make_if_missing else given


def weights_fingerprint(model: ModelSettings) -> str:
    """A fingerprint of all files that CLIP weights are read from, configurations included; of a name, the name."""
    named = model.clip_weights
    if named == DEMO_WEIGHTS:
        return f"{named} {_digest(sorted(demo_folder().glob('demo_clip.*')))}"
    is_published = named == REAL_WEIGHTS  # which a user may have put into a folder of weights
    place = openai_file(model.clip_model or DEFAULT_MODEL) if is_published else place_of(Path(named))
    if place is None or not (is_file(place) or is_folder(place)):
        return named
    try:
        return _digest(files_of_weights(place))
    except InputError:  # a folder may be called like a name of weights; whoever loads them says if it is meant
        return named


def _digest(paths: Iterable[Path]) -> str:
    """A fingerprint of the content of files, in this order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(file_digest(path))
    return digest.hexdigest()[:_LENGTH]
