"""Compares the number of points that a text file states above its rows with the number of rows."""

import logging
from pathlib import Path

from pointad.errors import InputError
from pointad.scans.scan_file import MOST_POINTS

logger = logging.getLogger(__name__)

_MOST_DIGITS = 20
_REMEDY = "copy or export the file again, or correct the number"


def check_declared_count(above: bytes, held: int, path: Path) -> None:
    """Refuse a `.pts` file with fewer points than it states, as a cut copy has; log other contradictions.

    Of several numbers that stand alone, the last one counts, unless another is that of the rows. Elsewhere they may be
    something else, such as a year. The largest is logged if it is larger than the number of rows.

    Args:
        above: the lines above the first row.
        held: how many rows there are.
        path: the file, for its extension, errors and the log.

    Raises:
        InputError: a `.pts` file ends before its number of points.
    """
    different = dict.fromkeys(reversed(above.split(b"\n")))  # there may be millions, such as blank ones
    alone = [line.strip(b' \t",;').removeprefix(b"+") for line in different]
    numbers = [int(line) for line in alone if line.isdigit() and len(line) < _MOST_DIGITS]
    if not numbers or held in numbers:
        return
    declared = numbers[0]
    if path.suffix.lower() != ".pts":
        declared = max(numbers)
        if held < declared <= MOST_POINTS:
            message = "%s: %d rows follow the number %d; if this is the number of points, the file is not complete"
            logger.warning(message, path, held, declared)
    elif declared > held:
        raise InputError(path, f"declares {declared} points but holds {held}", _REMEDY)
    else:
        logger.warning("%s: declares %d points but holds %d, which are all read", path, declared, held)
