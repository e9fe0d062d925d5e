"""Bytes behind the rows of a binary file: more rows than its header states, or rows of more bytes than it describes."""

import logging
from pathlib import Path

from pointad.errors import InputError

logger = logging.getLogger(__name__)

_PADDING = b"\0\t\n\r\x1a "
_REMEDY = "describe all bytes in the header, or export the file again"


def check_surplus(surplus: bytes, rows: int, size: int, what: str, path: Path) -> None:
    """Refuse as many bytes as may be a field of every row that the header lacks; log others.

    With such a field, all rows but the first would be cut out of the wrong bytes. Less than a byte a row is no field.

    Args:
        surplus: all bytes behind the last row.
        rows: how many the header states.
        size: bytes of a row, as the header describes them.
        what: the rows are.
        path: the file, for errors and the log.

    Raises:
        InputError: every row may have more bytes than described.
    """
    of_each, left = divmod(len(surplus), rows) if rows else (0, 0)
    if 0 < of_each < size and not left and surplus.strip(b"\0"):  # zeros fill up pages of memory
        problem = f"holds {size + of_each} bytes for each of its {rows} {what}, and describes {size}"
        raise InputError(path, problem, _REMEDY)
    more, rest = divmod(len(surplus), size)
    if more and not rest:
        message = "%s: declares %d %s but has room for %d more, which are not read"
        logger.warning(message, path, rows, what, more)
    elif len(surplus) >= rows > 0 or surplus.strip(_PADDING):
        message = "%s: declares %d %s, behind which %d more bytes are not read"
        logger.warning(message, path, rows, what, len(surplus))
