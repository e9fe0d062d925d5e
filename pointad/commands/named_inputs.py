"""The files that flags name to be read: no result may replace one of them, whatever it is called."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pointad.commands.scan_search import refuse_overwriting
from pointad.files.presence import is_file, is_folder
from pointad.model.weight_locations import demo_folder, place_of

_FLAGS = (
    "scans",
    "good",
    "calibrate",
    "rgb",
    "good_rgb",
    "reference",
    "rig",
    "checkpoint_path",
    "clip_weights",
    "init_checkpoint",
    "sample_table",
)
_LOOKED_INTO = ("clip_weights",)  # folders of which any file may be read; pictures are looked for by name


def refuse_replacing_inputs(flags: argparse.Namespace, written: Iterable[Path]) -> None:
    """Refuse results that would replace a file that another flag names, or the demo's weights.

    Args:
        flags: the parsed flags of any program.
        written: the files that it is to write.

    Raises:
        InputError: one of them would be replaced.
    """
    refuse_overwriting(named_files(flags), written)


def named_files(flags: argparse.Namespace) -> list[Path]:
    """The files that flags name to be read, as far as they exist, and the demo's weights, which are read by default."""
    found = [path for path in demo_folder().glob("demo*") if is_file(path)]
    found += demo_folder().glob("demo/*/*")
    for name in _FLAGS:
        for path in _paths(getattr(flags, name, None)):
            if is_file(path):
                found.append(path)
            elif is_folder(path):
                found += filter(is_file, path.iterdir()) if name in _LOOKED_INTO else ()
            elif is_file(elsewhere := place_of(path)):
                found.append(elsewhere)
    return found


def _paths(value: object) -> Iterator[Path]:
    values: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    for each in values:
        if isinstance(each, (str, Path)) and "\0" not in str(each):
            yield Path(each)
