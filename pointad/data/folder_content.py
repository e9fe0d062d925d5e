"""Tells whether a data set's folder still holds the same files, by their names and sizes, without reading them all."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pointad.data.layout import GOOD_SPLIT, SETTINGS_NAME
from pointad.data.metadata import GOOD_SCANS_NAME, metadata_path
from pointad.errors import InputError
from pointad.files.digests import file_digest
from pointad.files.json_files import read_json
from pointad.files.presence import is_file

_LENGTH = 16  # hexadecimal digits
_OUTPUTS = "results"  # where programs write by default, when the data are the working folder


@dataclass(frozen=True)
class FolderContent:
    """The files of a data set."""

    fingerprint: str  # of their names and sizes, and of the content of the lists
    newest: Path | None  # the one that was changed last, lists aside
    changed: float  # when that was, in seconds since 1970


def folder_content(root: Path, *, with_good: bool = False) -> FolderContent:
    """The files of a data set, wherever its folder is.

    Of a rendered data set these are the files of its listed classes; of another one, all files in subfolders but for
    ``results``. Hidden files do not count.

    Args:
        root: the folder; need not exist.
        with_good: count the good scans outside the test split too.

    Lists that cannot be read count as missing: whoever reads the samples says what is wrong with them.
    """
    lists = [metadata_path(root).name, *([GOOD_SCANS_NAME] if with_good else []), SETTINGS_NAME]
    digest = hashlib.sha256()
    for name in lists:
        if is_file(root / name):
            digest.update(name.encode() + b"\0" + file_digest(root / name))
    newest, changed = None, 0.0
    for path, status in _files(root, _folders(root), with_good=with_good):
        place = os.fsencode(path.relative_to(root))
        digest.update(b"%d %d " % (len(place), status.st_size) + place)
        if status.st_mtime > changed:
            newest, changed = path, status.st_mtime
    return FolderContent(digest.hexdigest()[:_LENGTH], newest, changed)


def _folders(root: Path) -> list[str]:
    """The subfolders that hold samples."""
    path = metadata_path(root)
    if is_file(path):
        try:
            lists = read_json(path, "list the samples again")
        except InputError:
            return []
        splits = lists.values() if isinstance(lists, dict) else ()
        named = {str(name) for split in splits if isinstance(split, dict) for name in split}
        return sorted(name for name in named if name not in ("", ".", "..") and "/" not in name and "\0" not in name)
    try:
        found = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    except OSError:  # whoever reads the samples says what is wrong
        return []
    return [name for name in found if not name.startswith(".") and name != _OUTPUTS]


def _files(root: Path, folders: list[str], *, with_good: bool) -> Iterator[tuple[Path, os.stat_result]]:
    """Files below these folders, in an order that depends on their names alone; links are followed, circles are not."""
    seen: set[tuple[int, int]] = set()
    for name in folders:
        for place, inner, names in os.walk(root / name, followlinks=True):
            try:
                status = os.stat(place)  # noqa: PTH116 (a text of os.walk)
            except OSError:
                inner.clear()
                continue
            if (status.st_dev, status.st_ino) in seen:
                inner.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            inner[:] = sorted(each for each in inner if not each.startswith(".") and (with_good or each != GOOD_SPLIT))
            for each in sorted(names):
                path = Path(place, each)
                if not each.startswith("."):
                    with contextlib.suppress(OSError):  # a link that leads nowhere
                        yield path, path.stat()
