"""Recognizes decimal commas between commas: "12,05,-6,7" are two numbers, and look like four."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from pointad.errors import InputError
from pointad.scans.text_cells import COMMA, split

logger = logging.getLogger(__name__)

_LEADING_ZERO = re.compile(rb"(?:^|,)\s*[+-]?0\d+\s*(?=,|$)")
_DIGIT = re.compile(rb"\d")
_DIGITS = 8  # different ones in a column: few labels are so many
_REMEDY = "write it with decimal points, or with semicolons between the columns"


def check_commas(rows: Sequence[bytes], name: str | Path) -> None:
    """Refuse whole numbers between commas of which some are the digits behind a decimal sign; log one that may be.

    Numbers such as 05 are such digits, and so are single digits in two or three columns beside three others.

    Args:
        rows: of the table.
        name: the file, for the log and for errors.

    Raises:
        InputError: the commas separate columns as well as decimals.
    """
    if any(b"." in row for row in rows):
        return
    if sum(_LEADING_ZERO.search(row) is not None for row in rows) > len(rows) / 50:
        problem = "has whole numbers with leading zeros between commas, which suggests that some are decimal commas"
        raise InputError(name, problem, _REMEDY)
    columns = list(zip(*(split(row, COMMA) for row in rows), strict=False))
    digits = [len(set(column)) >= _DIGITS and all(map(_DIGIT.fullmatch, column)) for column in columns]
    behind = [place for place in range(1, len(digits)) if digits[place] and not digits[place - 1]]
    if not behind or len(digits) != 3 + len(behind) or sum(digits) != len(behind):
        return
    if len(behind) > 1:
        problem = f"has single digits in {len(behind)} columns, which suggests that some commas are decimal signs"
        raise InputError(name, problem, _REMEDY)
    message = "%s: column %d holds single digits; if the comma before it is a decimal sign, write points"
    logger.warning(message, name, behind[0] + 1)
