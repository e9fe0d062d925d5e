"""Files below a folder: links to folders are followed, and what may not be read is told instead of passed over."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pointad.errors import InputError
from pointad.files.presence import is_file, is_folder

logger = logging.getLogger(__name__)


def files_below(folder: str | Path, *, hidden: bool = False) -> list[Path]:
    """Everything below a folder that is no folder itself, in the order of the paths.

    Each folder is entered once, whatever links lead to it, so that links in a circle end. Links that lead nowhere are
    left out, which is logged.

    Args:
        folder: where to begin.
        hidden: whether files and folders are included whose names begin with a dot.

    Raises:
        InputError: the folder or one below it cannot be read.
    """
    return sorted(_walk(Path(folder), hidden))


def files_in_places(folder: Path, names: Sequence[re.Pattern[str]]) -> list[Path]:
    """The files at one depth below a folder, in the order of the paths; links are followed.

    Links that lead nowhere are left out, which is logged.

    Args:
        folder: where to begin.
        names: what the name of the first folder on the way matches, then of the next; the last one is for the file.

    Raises:
        InputError: one of these folders cannot be read.
    """
    places = [folder]
    for number, name in enumerate(names, start=1):
        is_wanted = is_file if number == len(names) else is_folder
        paths = [
            place / entry.name for place in places for entry in _entries(place, set()) if name.fullmatch(entry.name)
        ]
        for path in paths:
            if path.is_symlink() and not os.path.exists(path):  # noqa: PTH110
                logger.warning("%s: is a link that leads nowhere; skipped", path)
        places = [path for path in paths if is_wanted(path)]
    return sorted(places)


def files_written_below(folder: Path) -> Iterator[Path]:
    """What lies below a folder of outputs, which may be missing, but for folders; no link is followed."""
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names)


def _walk(folder: Path, hidden: bool) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    linked = [folder]  # what links lead to comes last: a folder is known by its own path rather than by a link's
    while linked:
        waiting = [linked.pop(0)]
        while waiting:  # no recursion: archives of strangers may hold thousands of folders within each other
            place = waiting.pop()
            for entry in _entries(place, entered):
                path = place / entry.name
                if entry.name.startswith(".") and not hidden:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif not entry.is_symlink() or os.path.isfile(path):  # noqa: PTH113 (is_file raises for circles)
                    yield path
                elif os.path.isdir(path):  # noqa: PTH112
                    linked.append(path)
                elif os.path.exists(path):  # noqa: PTH110
                    yield path
                else:
                    logger.warning("%s: is a link that leads nowhere; skipped", path)


def _entries(folder: Path, entered: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing if it was entered before."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in entered:
            return []
        entered.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        problem = f"cannot be searched ({error.strerror or error})"
        raise InputError(
            folder, problem, "check its permissions, or name the other files and folders instead"
        ) from error
