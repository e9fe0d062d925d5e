"""Recognizes numbers whose digits are grouped by thousands, which look like decimals: 13,924 beside 403."""

import re
from collections.abc import Sequence

_GROUPED = re.compile(rb"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_UNGROUPED = re.compile(rb"[+-]?\d{1,3}")
_MOST_MARKS = 4  # whole numbers that stand for missing values, such as 0 and -1
_FEWEST = 30  # cells with a sign; the last digit of so many decimals would be a zero, and left out, in three


def groups_thousands(rows: Sequence[Sequence[bytes]], sign: bytes) -> bool:
    """Whether a sign between digits separates thousands, and not the decimals.

    It does if it always stands behind one to three digits other than 0 and in front of exactly three, and a column with
    it also has several whole numbers without it, none of more than three digits. Decimals have it in all of a column's
    cells, or, without closing zeros, in front of fewer digits too.

    Args:
        rows: cells of some rows.
        sign: b"," or b".".
    """
    with_sign = [cell for row in rows for cell in row if sign in cell]
    if len(with_sign) < _FEWEST or not all(map(_GROUPED.fullmatch, with_sign)):
        return False
    width = min(map(len, rows))
    columns = [[row[place] for row in rows] for place in range(width)]
    mixed = [column for column in columns if 0 < sum(sign in cell for cell in column) < len(column)]
    whole = {cell for column in mixed for cell in column if sign not in cell}
    return len(whole) > _MOST_MARKS and all(map(_UNGROUPED.fullmatch, whole))
