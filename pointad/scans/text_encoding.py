"""Text in UTF-16 or UTF-32, as Windows tools save it, brought to UTF-8; binary content stays as it is."""

import codecs
import re
from pathlib import Path

from pointad.errors import InputError

_MARKS = (  # that of UTF-16 begins like that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = (  # four characters of ASCII, each beside a zero
    (re.compile(rb"(?:[\t\n\r -~]\0){4}"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\r -~]){4}"), "utf-16-be"),
)
LONGEST_MARK = 8  # bytes from the beginning that tell the encoding


def wide_encoding(beginning: bytes) -> str | None:
    """The encoding of a text whose characters have two or four bytes, by its first ones; None for anything else."""
    marked = next((encoding for mark, encoding in _MARKS if beginning.startswith(mark)), None)
    return marked or next((encoding for start, encoding in _UNMARKED if start.match(beginning)), None)


def in_utf8(content: bytes, name: str | Path) -> bytes:
    """Text in UTF-16 or UTF-32 as UTF-8; anything else unchanged.

    Args:
        content: of a file.
        name: the file, for errors.

    Raises:
        InputError: the text is marked as UTF-16 or UTF-32 but is not valid.
    """
    encoding = wide_encoding(content)
    return content if encoding is None else reencoded(content, encoding, name)


def reencoded(content: bytes, encoding: str, name: str | Path) -> bytes:
    """A text in another encoding as UTF-8.

    Raises:
        InputError: it is not valid.
    """
    try:
        return content.decode(encoding).encode("utf-8", errors="replace")
    except UnicodeDecodeError as error:
        raise InputError(name, f"is not readable as {encoding} text ({error})", "replace the file") from error
