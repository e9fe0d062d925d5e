"""Files of senders on disk, where the process that inspects reads them, and which of them hold the same."""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException

from pointad.commands.service.uploads import UNREADABLE, SentFile
from pointad.errors import short
from pointad.scans.files import SUFFIXES
from pointad.scans.other_formats import unsupported_extension


@dataclass(frozen=True)
class StoredFile:
    """A file that was sent, and where it is stored while it is needed.

    Args:
        folder: private to the service.
        stem: of the name on disk; nothing but the extension of the sender's name is used.
        file: as it was sent.

    Raises:
        HTTPException: it has no name, or files with this extension are not read.
    """

    folder: Path
    stem: str
    file: SentFile

    def __post_init__(self) -> None:
        if not self.file.name:
            raise HTTPException(UNREADABLE, "the scan has no name; add one to the address, such as ?name=scan.ply")
        if self._suffix not in SUFFIXES:
            raise HTTPException(UNREADABLE, str(unsupported_extension(self.file.name, SUFFIXES)))

    @property
    def path(self) -> Path:
        """Where it is stored."""
        return self.folder / f"{self.stem}{self._suffix}"

    @property
    def name(self) -> str:
        """What it is called, on one line of ordinary length."""
        return short(Path(self.file.name).name)

    @property
    def _suffix(self) -> str:
        return Path(self.file.name).suffix.lower()


def stored_good(folder: Path, good: Sequence[SentFile]) -> list[StoredFile]:
    """Good scans, numbered.

    Raises:
        HTTPException: one has no name, or files with its extension are not read.
    """
    if not all(file.name for file in good):
        raise HTTPException(UNREADABLE, "a good scan has no name; send it with one in filename=")
    return [StoredFile(folder, f"good_{number}", file) for number, file in enumerate(good)]


def write_all(files: Sequence[StoredFile]) -> list[bytes]:
    """Write files, all into one folder; digests of their content.

    Raises:
        OSError: one cannot be written.
    """
    require_private(files[0].folder)
    for each in files:
        each.path.write_bytes(each.file.content)
    return [hashlib.sha256(each.file.content).digest() for each in files]


def require_private(folder: Path) -> None:
    """Make the folder again if it is gone: where temporary files are cleaned up, one that rests for days is removed.

    Raises:
        OSError: it cannot be made, or somebody else has made one of its name.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EPERM, "the folder of uploads is not private")


def remove_all(files: Sequence[StoredFile]) -> None:
    """Remove files that may have been written."""
    for each in files:
        with contextlib.suppress(OSError):
            each.path.unlink(missing_ok=True)
