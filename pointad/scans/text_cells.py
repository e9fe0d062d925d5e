"""Splits lines of text into cells."""

import re
from collections.abc import Callable, Iterator

BLANK, COMMA, SEMICOLON, TAB = None, b",", b";", b"\t"
_NUMBER = rb"[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d+)?"
_IS_NUMBER = re.compile(_NUMBER + rb"|[+-]?(nan|inf|infinity)", re.IGNORECASE)
PIECE = 2**18  # bytes
LONGEST_LINE = 2**20
_COMMENT = re.compile(rb"\s*(#|//|%|!)")


def split(line: bytes, separator: bytes | None) -> list[bytes]:
    """The cells of a line; separators within quotes are ignored."""
    if separator is None:
        return line.replace(b'"', b" ").split()
    if b'"' in line:
        return [cell.strip().strip(b'"') for cell in _quoted_cells(line, separator)]
    return [cell.strip() for cell in line.split(separator)]


def is_comment(line: bytes) -> bool:
    """Whether a line is a comment."""
    return _COMMENT.match(line) is not None


def without_comment_sign(line: bytes) -> bytes:
    """A line without the sign of a comment before it."""
    return re.sub(rb"^\s*(#|//|%|!)+\s*", b"", line)


def is_numeric(cell: bytes) -> bool:
    """Whether a cell is a number, perhaps with a decimal comma, or a word for one that is not finite."""
    return _IS_NUMBER.fullmatch(cell.replace(b",", b".", 1)) is not None


def _quoted_cells(line: bytes, separator: bytes) -> list[bytes]:
    return re.findall(rb'(?:^|%b)((?:"[^"]*"|[^"%b])*)' % (re.escape(separator), re.escape(separator)), line)


def replaced(pattern: re.Pattern[bytes], by: bytes | Callable[[re.Match[bytes]], bytes], text: bytes) -> bytes:
    """A text with a pattern replaced that reaches over no end of a line, one piece after the other (see `pieces`)."""
    return b"".join(pattern.sub(by, piece) for piece in pieces(text, longest=len(text)))


def pieces(text: bytes, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The text in pieces of whole lines, of at most `PIECE` bytes or one line.

    Patterns are replaced in one piece after the other: Python keeps some hundred bytes for each place meanwhile.

    Raises:
        ValueError: a line has more than `longest` bytes.
    """
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > PIECE:
            end = text.rfind(b"\n", start, start + PIECE) + 1 or text.find(b"\n", start) + 1 or len(text)
        if end - start > max(PIECE, longest):
            raise ValueError(f"a line has more than {longest} characters")
        yield text[start:end]
        start = end
