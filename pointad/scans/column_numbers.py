"""Recognizes a first row that numbers the columns, as data frames write the names of columns that have none."""

import logging
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)


def counts_columns(rows: Sequence[Sequence[bytes]], name: str | Path) -> bool:
    """Whether the first row is 0, 1, 2 … and no point: above numbers with decimals, or behind an empty cell; logged.

    Above whole numbers it may be a point, which is logged too.

    Args:
        rows: the cells of the first rows of a table.
        name: the file, for the log.
    """
    first = rows[0]
    if len(rows) == 1:
        return False
    numbers = first if first[0] else first[1:]  # nothing stands above the row numbers
    if len(numbers) < 3 or any(cell != b"%d" % place for place, cell in enumerate(numbers)):
        return False
    if first[0] and not any(b"." in cell or b"," in cell for row in rows[1:] for cell in row):
        logger.warning("%s: the first row, 0, 1, 2, is read as a point; if it numbers the columns, delete it", name)
        return False
    logger.warning("%s: the first row counts the columns and is not read as a point", name)
    return True
