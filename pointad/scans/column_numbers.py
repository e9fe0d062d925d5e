"""Recognizes a first row that numbers the columns, as data frames write the names of columns that have none."""

import logging
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)


def counts_columns(rows: Sequence[Sequence[bytes]], name: str | Path) -> bool:
    """Whether the first row is 0, 1, 2 … or 1, 2, 3 … and no point, which is logged.

    It is none above numbers with decimals, or behind an empty cell. Above whole numbers it may be one; logged, too.

    Args:
        rows: the cells of the first rows of a table.
        name: the file, for the log.
    """
    first = rows[0]
    if len(rows) == 1:
        return False
    numbers = first if first[0] else first[1:]  # nothing stands above the row numbers
    start = next((start for start in (0, 1) if numbers[0] == b"%d" % start), None)
    if len(numbers) < 3 or start is None or any(cell != b"%d" % at for at, cell in enumerate(numbers, start)):
        return False
    if first[0] and not any(b"." in cell or b"," in cell for row in rows[1:] for cell in row):
        shown = ", ".join(map(str, range(start, start + 3)))
        logger.warning("%s: the first row, %s, is read as a point; if it numbers the columns, delete it", name, shown)
        return False
    logger.warning("%s: the first row counts the columns and is not read as a point", name)
    return True
