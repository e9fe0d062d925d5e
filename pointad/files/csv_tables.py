"""CSV files with a header, such as those that runs write: memory grows with the file, whatever is in it."""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pointad.errors import short
from pointad.files.regular import regular_file_size

_LONGEST = 100_000  # characters of the first line that are looked at for its separator
_LONGEST_NAME = 80  # characters that are shown


@contextlib.contextmanager
def opened_table(path: str | Path, *, skip_blanks: bool = True) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """The names of the columns, stripped, and the rows, which may have any number of cells; blank rows have none.

    Cells are separated by commas, or, where the first line has none, by its semicolons or tabs, as some spreadsheets
    write them.

    Args:
        path: of the file.
        skip_blanks: leave out blanks at the beginning of cells, as people write them; names of programs keep theirs.

    Raises:
        InputError: it is no regular file.
        OSError, ValueError, csv.Error: it cannot be read, or is not such a table; may be raised within the block.
    """
    regular_file_size(path)
    with Path(path).open("rb") as beginning:
        encoding = json.detect_encoding(beginning.read(4))  # UTF-16 too, as spreadsheets call "Unicode"
    with Path(path).open(newline="", encoding=encoding) as file:
        first = file.readline(_LONGEST)
        file.seek(0)
        separator = next((sign for sign in ",;\t" if sign in first), ",")
        # Not strictly, a quotation mark that is never closed would make one cell of all rows behind it.
        reader = csv.reader(file, delimiter=separator, skipinitialspace=skip_blanks, strict=True)
        rows = (row if any(cell.strip() for cell in row) else [] for row in reader)
        yield [name.strip() for name in next(rows, [])], rows


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV, the names of its columns first; lines end as on Unix."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    return table.getvalue()


def read_table(path: str | Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns, and every row by them; cells keep their blanks.

    A row must have a cell for each: a file of many names and short rows would take the square of its size.

    Raises:
        InputError: it is no regular file.
        OSError, ValueError, csv.Error: it cannot be read, a name is repeated, or a row has more or fewer cells.
    """
    with opened_table(path, skip_blanks=False) as (names, rows):
        if len(set(names)) < len(names):
            repeated = next(name for name, count in Counter(names).items() if count > 1)
            raise csv.Error(f"the column {short(repeated, _LONGEST_NAME)!r} is repeated")
        found = []
        for number, row in enumerate(filter(None, rows), start=1):
            if len(row) != len(names):
                raise csv.Error(f"row {number} has {len(row)} cells for {len(names)} columns")
            found.append(dict(zip(names, row, strict=True)))
    return names, found
