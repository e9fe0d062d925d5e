"""What a test wrote beside its results.json, so that a report takes nothing else in the folder for it.

Results may be renamed or copied to those of another test, and a later test may have replaced the other files.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.files.regular import read_bytes

_NAMES = {"scores": "scores.csv", "curves": "curves.json", "maps": "maps", "pictures": "visualization"}


@dataclass(frozen=True)
class Companions:
    """The files of one test besides its results."""

    scores: str  # fingerprint of scores.csv
    curves: str  # fingerprint of curves.json
    maps: bool  # whether it wrote maps
    pictures: bool  # whether it wrote pictures

    def to_json(self) -> dict[str, Any]:
        """As stored in `results.json`, by the names of the files and folders."""
        return {file: getattr(self, name) for name, file in _NAMES.items()}

    @classmethod
    def from_json(cls, content: Any) -> "Companions | None":
        """The same read back; None if the file does not tell, as those of older versions.

        Raises:
            ValueError: the content is invalid.
        """
        if content is None:
            return None
        if not isinstance(content, Mapping):
            raise ValueError("files: expected a table")
        found: dict[str, Any] = {name: content.get(file) for name, file in _NAMES.items()}
        for name, file in _NAMES.items():
            kind, said = (bool, "true or false") if name in ("maps", "pictures") else (str, "a text")
            if not isinstance(found[name], kind):
                raise ValueError(f"files, {file}: expected {said}, found {found[name]!r:.80}")
        return cls(**found)


def text_fingerprint(content: bytes) -> str:
    """A fingerprint of a text file; line ends may be those of Windows, as git likes to make them."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:16]


def has_fingerprint(path: Path, expected: str) -> bool:
    """Whether a text file is the one that a test wrote.

    Raises:
        InputError: it cannot be read.
    """
    return text_fingerprint(read_bytes(path)) == expected
