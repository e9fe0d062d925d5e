"""References that senders had made of their good scans, kept on disk for a while under names that nobody can guess."""

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from pointad.files.unfinished import remove_abandoned

SUFFIX = ".safetensors"
MOST_KEPT = 8  # of at most 180 MB each


class KeptReferences:
    """Knows the references that are there; when there are too many, the one that was not used for longest goes.

    Args:
        folder: where their files are; removed with everything in it by whoever made it.
        most: how many are kept.
    """

    def __init__(self, folder: Path, most: int = MOST_KEPT) -> None:
        self._folder = folder
        self._most = most
        self._paths: dict[str, Path] = {}  # by name, the one used last at the end
        self._good: dict[Path, Mapping[bytes, str]] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def new(self) -> tuple[str, Path]:
        """A new name, and the path for its file; to be kept once it is written."""
        name = secrets.token_hex(16)
        return name, self._folder / f"{name}{SUFFIX}"

    def keep(self, name: str, path: Path, good: Mapping[bytes, str]) -> None:
        """Remember a reference whose file is written, and the names of its good scans by digests of their files."""
        self._paths[name] = path
        self._good[path] = good
        while len(self._paths) > self._most:
            oldest = next(iter(self._paths))
            gone = self._paths.pop(oldest)
            self._good.pop(gone, None)
            with contextlib.suppress(OSError):
                gone.unlink(missing_ok=True)

    def clean_up(self, name: str, path: Path) -> None:
        """Remove what a process that failed or was ended left of a reference; one that is kept stays."""
        if name not in self._paths:
            remove_abandoned(path)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path | None:
        """The file of a reference; None if there is none of this name, or a cleaner of temporary files removed it."""
        path = self._paths.pop(name, None)
        if path is not None and not path.is_file():
            self._good.pop(path, None)
            return None
        if path is not None:
            self._paths[name] = path
        return path

    def good_in(self, path: Path) -> Mapping[bytes, str]:
        """The names of the good scans behind a file that is kept, by digests of their files; empty for any other."""
        return self._good.get(path, {})
