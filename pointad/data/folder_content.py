"""Tells whether a data set still has the same files: by their names and sizes, and the content of some of them."""

import contextlib
import hashlib
import heapq
import json
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.data.layout import DEVICES, GOOD_SPLIT, SETTINGS_NAME, SOURCES, SPLIT
from pointad.data.listed_paths import inside
from pointad.data.metadata import GOOD_SCANS_NAME, metadata_path
from pointad.datasets.path_patterns import names_hidden
from pointad.errors import InputError
from pointad.files.digests import file_digest
from pointad.files.json_files import read_json
from pointad.files.presence import is_file, what_is_in_reach

_LENGTH = 16  # hexadecimal digits
_NO_PATHS = ("cls_name", "specie_name")  # in entries of lists
_OUTPUTS = "results"  # where programs write by default, when the data are the working folder
_REMEDY = "write it again"
_LOOKED_INTO = 64  # files whose content counts too, chosen by their names
_PIECE = 1 << 20  # bytes of them, at most

Named = tuple[str, str]
"""A file or folder: its path, and what the data set calls it wherever it lies."""


@dataclass(frozen=True)
class FolderContent:
    """The files of a data set."""

    fingerprint: str  # of their names and sizes, of the content of the lists, and of some files
    newest: Path | None  # the one that was changed last, lists aside
    changed: float  # when that was, in seconds since 1970


def rendered_content(root: Path, class_name: str | None = None, *, with_good: bool = False) -> FolderContent | None:
    """The files of a rendered data set, wherever its folder is: those in the folders that its lists name.

    Args:
        root: the folder; need not exist.
        class_name: only of this class, as in a training; None: of all.
        with_good: also of the good scans outside the test split.

    Returns:
        None if a list is missing or cannot be read: whoever reads the samples says what is wrong.
    """
    digest = hashlib.sha256()
    places: set[Named] = set()
    try:
        lists = {metadata_path(root, class_name): SPLIT}
        if with_good and is_file(root / GOOD_SCANS_NAME):
            lists[root / GOOD_SCANS_NAME] = GOOD_SPLIT
        for path, section in lists.items():
            digest.update(path.name.encode() + b"\0" + file_digest(path))
            places |= _folders(root, path, read_json(path, _REMEDY), section)
        if is_file(root / SETTINGS_NAME):
            digest.update(_settings(read_json(root / SETTINGS_NAME, _REMEDY)))
    except InputError:
        return None
    return _content(_below(places, lambda _, name: False), digest)


def listed_content(folder: Path, names: Iterable[str]) -> FolderContent:
    """Raw scans, pictures and masks, as a table names them.

    Args:
        folder: that the names are relative to.
        names: in any order; of what is missing, whoever reads the samples says so.
    """
    return _content(_stated((str(folder / name), name) for name in sorted(set(names))), hashlib.sha256())


def raw_content(root: Path, *, with_good: bool = False, patterns: Sequence[str] = ()) -> FolderContent | None:
    """Everything in the subfolders of raw scans but for ``results``, and hidden files, unless patterns name such.

    Args:
        root: the folder; need not exist.
        with_good: also in the folders of training splits.
        patterns: of the scans, pictures and masks in a folder of one's own, whose names of splits nobody knows; they
            may lie in the folder itself.
    """
    with_hidden = any(map(names_hidden, patterns))
    places, files = [], []
    is_read = False
    with what_is_in_reach(root):
        for entry in os.scandir(root):
            if entry.name.startswith(".") and not with_hidden:
                continue
            if entry.is_dir():
                if entry.name != _OUTPUTS or any(_OUTPUTS in pattern for pattern in patterns):
                    places.append((entry.path, entry.name))
            elif patterns:
                files.append((entry.path, entry.name))
        is_read = True
    if not is_read:
        return None

    def is_apart(place: str, name: str) -> bool:
        # Below a test split, a kind of defect may be called like the other split.
        return not patterns and not with_good and name == GOOD_SPLIT and SPLIT not in place.split("/")

    digest = hashlib.sha256()
    return _content([*_stated(sorted(files)), *_below(places, is_apart, with_hidden=with_hidden)], digest)


def _content(files: Iterable[tuple[Named, os.stat_result]], digest: Any) -> FolderContent:
    newest, changed = None, 0.0
    some: list[tuple[int, bytes, str, int]] = []
    for (path, name), status in files:
        place = os.fsencode(name)
        digest.update(b"%d %d " % (len(place), status.st_size) + place)
        if status.st_mtime > changed:
            newest, changed = Path(path), status.st_mtime
        if stat.S_ISREG(status.st_mode):
            some.append((zlib.crc32(place), place, path, status.st_size))
        if len(some) > _LOOKED_INTO**2:
            some = heapq.nsmallest(_LOOKED_INTO, some)
    # Scans of one sensor often have one size, and are counted from 0 in every data set.
    for _, _, path, size in heapq.nsmallest(_LOOKED_INTO, some):
        digest.update(_middle(path, size))
    return FolderContent(digest.hexdigest()[:_LENGTH], newest, changed)


def _middle(path: str, size: int) -> bytes:
    """What a file holds around its middle, at most `_PIECE`; nothing if it is gone, or may not be read."""
    with what_is_in_reach(path), Path(path).open("rb") as file:
        file.seek(max(0, size - _PIECE) // 2)
        return file.read(_PIECE)
    return b""


def _settings(content: Any) -> bytes:
    """How the data set was rendered, without what the file tells for information."""
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if name not in (DEVICES, SOURCES)}
    return json.dumps(content, sort_keys=True).encode()


def _folders(root: Path, path: Path, content: Any, section: str) -> set[Named]:
    """The folders that the files of listed samples lie in; of files in the data set's own folder, they themselves."""
    classes = content.get(section) if isinstance(content, dict) else None
    base = Path(os.path.normpath(Path.cwd() / root))
    found: set[Named] = set()

    def resolved(text: str, class_name: str) -> Path | None:
        with contextlib.suppress(InputError, ValueError):  # whoever reads the samples says so
            return inside(path, root, text, class_name)
        return None

    for name, entries in classes.items() if isinstance(classes, dict) else ():
        listed = (entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))
        paths = (value for entry in listed for key, value in entry.items() if key not in _NO_PATHS)
        texts: dict[str, set[str]] = {}
        for text in paths:
            if isinstance(text, str):
                texts.setdefault(os.path.dirname(text), set()).add(text)  # noqa: PTH120 (a text of any kind)
        for parent, inner in texts.items():
            folder = resolved(parent, name)
            places = [folder] if folder is not None else [resolved(text, name) for text in inner]
            found |= {(str(place), place.relative_to(base).as_posix()) for place in places if place is not None}
    return found


def _stated(files: Iterable[Named]) -> Iterator[tuple[Named, os.stat_result]]:
    for path, name in files:
        with what_is_in_reach(path):  # not so if it is missing, or a link that leads nowhere
            yield (path, name), os.stat(path)  # noqa: PTH116 (a text)


def _below(
    places: Iterable[Named], is_apart: Callable[[str, str], bool], *, with_hidden: bool = False
) -> Iterator[tuple[Named, os.stat_result]]:
    """These files and those below these folders, in an order that depends on their names alone.

    Links are followed, circles are not.

    Folders that may not be read count as empty.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[Named] = sorted(places, key=lambda each: each[1], reverse=True)
    while waiting:
        path, place = waiting.pop()
        entries: Sequence[os.DirEntry[str]] = ()
        with what_is_in_reach(path):
            status = os.stat(path)  # noqa: PTH116 (a text)
            known = (status.st_dev, status.st_ino)
            if known in seen:
                continue
            seen.add(known)
            if not stat.S_ISDIR(status.st_mode):
                yield (path, place), status
                continue
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        inner = []
        for entry in entries:
            if entry.name.startswith(".") and not with_hidden:
                continue
            named = (entry.path, f"{place}/{entry.name}")
            with what_is_in_reach(entry.path):  # not so if it is a link that leads nowhere
                if not entry.is_dir():
                    yield named, entry.stat()
                elif not is_apart(place, entry.name):
                    inner.append(named)
        waiting += reversed(inner)
