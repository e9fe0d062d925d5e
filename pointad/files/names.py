"""Makes names of files and folders out of names that come from others: classes, species, samples, scans, runs.

Such a name may be `..`, hold a slash, a line break or bytes that are no text, be empty or longer than any file system
takes. Nothing that PointAD writes uses one as it is: outputs go through `file_name` and `place_below`, which escape,
and rendered data sets, whose folders are their names, through `plain_component`, which refuses.
"""

import hashlib
import re
from pathlib import Path

from pointad.errors import InputError, shown

LONGEST = 180
"""Bytes of a name that is made here; with endings and the marks of unfinished files it stays below 255."""

# Separators and drive letters of any system, wildcards, and the sign of the escapes itself.
_ESCAPED = frozenset('/\\:*?"<>|%')
# Names that stand for devices on Windows, whatever follows after a dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def file_name(foreign: str) -> str:
    """One plain component of a path for any name; ordinary names stay as they are.

    What is special is escaped as in web addresses, `%2F` for a slash: separators, a dot or a dash at the beginning, a
    dot or a space at the end, the first letter of a reserved name, and the sign `%` itself, so that different names
    stay different. Control characters and bytes that are no text are shown first, as in `pointad.errors.shown`. The
    empty name becomes `%`; what would be too long ends in a digest of the whole.

    Args:
        foreign: any text.

    Returns:
        At most `LONGEST` bytes of UTF-8; never empty, `.` or `..`, without separators, and a name that Linux, macOS
        and Windows take.
    """
    text = shown(foreign)
    pieces = [_percent(character) if character in _ESCAPED else character for character in text]
    if text.startswith((".", "-", "~", " ")) or _RESERVED.match(text):
        pieces[0] = _percent(text[0])
    if text.endswith((".", " ")):
        pieces[-1] = _percent(text[-1])
    name = "".join(pieces) or "%"
    if len(name.encode()) <= LONGEST:
        return name
    ending = f"%~{hashlib.sha256(text.encode()).hexdigest()[:16]}"  # no escape looks like it
    size = len(ending)
    kept = []
    for piece in pieces:
        size += len(piece.encode())
        if size > LONGEST:
            break
        kept.append(piece)
    return "".join(kept) + ending


def place_below(folder: str | Path, *foreign: str) -> Path:
    """A path below a folder, with a component for each of the names, see `file_name`."""
    return Path(folder).joinpath(*map(file_name, foreign))


def plain_component(name: str, what: str) -> str:
    """The name itself, when it is a single component of a path and no other.

    Args:
        name: of a folder or a file that is there or will be.
        what: what errors call it, such as "class".

    Raises:
        InputError: it is empty, `.`, `..`, begins with a dot (unfinished files do), holds a separator or NUL, or is too
            long for a file's name.
    """
    if not name or name.startswith(".") or any(character in name for character in "/\\\0"):
        raise InputError(f"{what} {name!r}", "is not a plain name of a folder or file", "rename it")
    if len(name.encode(errors="surrogatepass")) > LONGEST:
        raise InputError(f"{what} {name[:40]!r}...", f"is longer than {LONGEST} bytes", "rename it")
    return name


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
