"""Turns untrusted names (of classes, species, samples, scans, runs) into names of files and folders.

Such a name may be `..`, contain a slash, a line break or bytes that are not text, be empty, or be longer than any file
system allows. PointAD never writes to one unchecked: outputs go through `file_name` and `place_below`, which escape it,
and rendered data sets, whose folders carry these names, through `plain_component`, which refuses it.
"""

import hashlib
import re
import unicodedata
import zlib
from pathlib import Path

from pointad.errors import InputError, shown

LONGEST = 180
"""Bytes of a name made here; with suffixes and the marks of unfinished files it stays below 255."""

# Separators and drive letters of any system, wildcards, and the escape character itself.
_ESCAPED = frozenset('/\\:*?"<>|%')
# Reserved device names on Windows, whatever follows after a dot, and with spaces before it.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)


def file_name(foreign: str) -> str:
    """A single path component for any name; ordinary names stay as they are.

    Special characters are escaped as in URLs, `%2F` for a slash: separators, a dot or a dash at the beginning, a dot
    or a space at the end, the first letter of a reserved name, and `%` itself. Control characters and bytes that are
    not text are first escaped as in `pointad.errors.shown`, so that names stay different if they are shown differently.
    The empty name becomes `%`; a name that would be too long is cut and ends in a digest of the whole.

    Args:
        foreign: any string.

    Returns:
        At most `LONGEST` bytes of UTF-8; never empty, `.` or `..`, without separators, and valid on Linux, macOS and
        Windows.
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
    ending = f"%~{hashlib.sha256(text.encode()).hexdigest()[:16]}"  # no escape looks like this
    size = len(ending)
    kept = []
    for piece in pieces:
        size += len(piece.encode())
        if size > LONGEST:
            break
        kept.append(piece)
    return "".join(kept) + ending


def place_below(folder: str | Path, *foreign: str) -> Path:
    """A path below a folder, with one component for each of the names; see `file_name`."""
    return Path(folder).joinpath(*map(file_name, foreign))


def seen_alike(name: str) -> str:
    """What two names share that some file system takes for one: the case of letters, and how accents are put."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def plain_component(name: str, what: str) -> str:
    """The name itself, if it is a single path component.

    Args:
        name: of an existing or future file or folder.
        what: how errors refer to it, such as "class".

    Raises:
        InputError: it is empty, `.` or `..`, begins with a dot (as unfinished files do), contains a separator or NUL,
            or is too long for a file name.
    """
    if not name or name.startswith(".") or any(character in name for character in "/\\\0"):
        raise InputError(f"{what} {name!r}", "is not a plain file or folder name", "rename it")
    if len(name.encode(errors="surrogatepass")) > LONGEST:
        raise InputError(f"{what} {name[:40]!r}...", f"is longer than {LONGEST} bytes", "rename it")
    return name


def seed_of(name: str) -> int:
    """A number of 32 bits that follows from a name, to draw by chance with; bytes that are not text are as good."""
    return zlib.crc32(name.encode("utf-8", "backslashreplace"))


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
