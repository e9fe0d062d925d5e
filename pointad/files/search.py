"""Files below a folder: links to folders are followed, and what may not be read is told instead of passed over."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from pointad.errors import InputError


def files_below(folder: str | Path, *, hidden: bool = False) -> list[Path]:
    """Everything below a folder that is no folder itself, in the order of the paths.

    Each folder is entered once, whatever links lead to it, so that links in a circle end.

    Args:
        folder: where to begin.
        hidden: whether files and folders are included whose names begin with a dot.

    Raises:
        InputError: the folder or one below it cannot be read.
    """
    return sorted(path for path in _walk(Path(folder)) if hidden or not _is_hidden(path.relative_to(folder)))


def _walk(folder: Path) -> Iterator[Path]:
    entered: set[str] = set()
    waiting = [folder]  # what links lead to comes last: a folder is known by its own path rather than by a link's
    while waiting:
        for place, folders, files in os.walk(waiting.pop(0), onerror=_refuse):
            way = os.path.realpath(place)
            if way in entered:
                folders.clear()
                continue
            entered.add(way)
            yield from (Path(place, name) for name in files)
            waiting += [Path(place, name) for name in sorted(folders) if Path(place, name).is_symlink()]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _refuse(error: OSError) -> NoReturn:
    problem = f"cannot be searched ({error.strerror or error})"
    raise InputError(error.filename, problem, "check its permissions, or name what lies beside it") from error
