"""Paths in the JSON lists of a rendered data set, which may have been moved since they were written."""

import os
from pathlib import Path

from pointad.data.layout import GOOD_SPLIT, SPLIT
from pointad.errors import InputError

WRITE_AGAIN = "write the JSON files again with the script in generate_dataset_json"


def inside(json_path: Path, root: Path, given: str, class_name: str) -> Path:
    """Resolve a path from a list to an absolute one below the data set's folder, or refuse it.

    Args:
        json_path: the list.
        root: the data set's folder.
        given: the path in the list: absolute, relative to `root`, or beginning with its former name.
        class_name: of the sample.

    Raises:
        InputError: the path leads outside the folder.
    """
    folder = Path(os.path.normpath(Path.cwd() / root))
    for candidate in (_below_root(folder, Path(given), class_name), folder / given):
        if candidate is None:
            continue
        normal = Path(os.path.normpath(candidate))
        if normal != folder and normal.is_relative_to(folder):
            return normal
    raise InputError(json_path, f"leads outside the data set's folder: {given}", WRITE_AGAIN)


def _below_root(folder: Path, given: Path, class_name: str) -> Path | None:
    """The part from `<class>/test` or `<class>/train` on, below `folder`, if the part before is the data set's folder.

    That is so if it is the same folder or has the same name: the data set was moved after the file was written, or
    the path is relative to another working directory.
    """
    parts = given.parts
    starts = [k for k in range(len(parts) - 1) if parts[k] == class_name and parts[k + 1] in (SPLIT, GOOD_SPLIT)]
    if not starts:
        return None
    prefix, tail = Path(*parts[: starts[-1]]), parts[starts[-1] :]
    same = str(prefix) == "." or prefix.name == folder.name or os.path.realpath(prefix) == os.path.realpath(folder)
    return folder.joinpath(*tail) if same else None
