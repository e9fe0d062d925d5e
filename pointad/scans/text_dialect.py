"""Detects how a table of numbers is written: its encoding, separator, decimal sign and header."""

import codecs
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from pointad.errors import InputError
from pointad.scans.column_numbers import counts_columns
from pointad.scans.decimal_commas import check_commas
from pointad.scans.header_names import MOST_ABOVE, column_names, is_units, names_coordinates
from pointad.scans.lines_above import check_lines_above
from pointad.scans.text_cells import (
    BLANK,
    COMMA,
    SEMICOLON,
    TAB,
    is_comment,
    is_numeric,
    replaced,
    split,
    without_comment_sign,
)
from pointad.scans.text_encoding import in_utf8, reencoded
from pointad.scans.thousands import groups_thousands

logger = logging.getLogger(__name__)

_SAMPLED_LINES = 1000
_SEPARATORS = (BLANK, COMMA, SEMICOLON, TAB)
_DECIMAL_COMMA = re.compile(rb"[+-]?\d*,\d+([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(rb"[+-]?(?:nan\(\w*\)|1\.(?:#\w+|\$))", re.IGNORECASE)  # of C runtimes of Windows
_WITH_SIGN = re.compile(
    rb"(?<![\w.])[+-]?1\.(?:#(?:[qs]?nan|ind|inf|[qs]nb|[iqs]o|[jrt])\d*|\$)(?!\w)", re.IGNORECASE
)  # which it rounds like digits: 1.#INF with two decimals is 1.#J, with three 1.#IO
MISSING = rb"|na|n/a|null|none|nil|-{1,5}|#n/a|\?|\*+"
_IS_MISSING = re.compile(MISSING, re.IGNORECASE)
_SPREADSHEET_ERROR = re.compile(
    rb"#(?:n/?a|nv|null?!|div/0!|num!|zahl!|value!|wert!|ref!|bezug!|name\?|error!|spill!|calc!)(?!\w)", re.IGNORECASE
)  # of cells, in English and German
_TOO_WIDE = re.compile(
    rb"(?m)^#{2,}(?= *[,;\t][,;\t ]*(?:#{2,}|[-+.\d]))|(?<=[,;\t]) *#{2,}(?= *(?:[,;\t]|$))"
    rb'|"#{2,}"|^ *#{3,}(?= +#{3,}(?: +(?:#{3,}|[-+.\d]\S*))+ *$| +[-+.\d]\S* +(?:#{3,}|[-+.\d]\S*) *$)'
)  # a spreadsheet's #### for numbers wider than their column; alone in a line, or before words, it is a comment
_COMMENT_BEHIND = re.compile(
    rb"(?m)^([ \t]*[+-]?\.?\d[^\n#/!%]*)(?:#|//|(?<=[ \t])[!%](?=[^\n,;\t]*$))[^\n]*$"
)  # 45% is no comment
_DASHES_AND_SEPARATORS = b"-,; \t"
_LONG_GAP = b" " * 16  # means no more than one blank, but takes patterns that try every part of it a long time
_GAPS = re.compile(rb"%b+" % _LONG_GAP)
_HEADER = 10_000  # bytes
_SHORT = 100  # bytes of a line that may be repeated any number of times
_MANY = 1000  # such lines, which are passed together
_BROKEN_NAME = re.compile(rb'(?m)(?:(?<=[,;\t])|^)("[^",;\t\n]{1,100})\n([^",;\t\n]{1,100}")(?=[,;\t\n])')
_REMEDY = "give rows of numbers of equal length, with blanks, tabs, commas or semicolons between them"


@dataclass(frozen=True)
class Dialect:
    """How a table is written, and where its first row of numbers begins."""

    separator: bytes | None  # None: blanks
    decimal_comma: bool
    start: int  # offset of the first row
    names: tuple[str, ...] | None  # if a line before the first row has them: one per column, or fewer

    def cells(self, line: bytes) -> list[bytes]:
        """The cells of one line."""
        return split(line, self.separator)


def decoded(content: bytes, name: str | Path) -> bytes:
    """Text in ASCII or an extension of it, lines ending in "\\n", without byte-order mark, never UTF-16 or UTF-32.

    Raises:
        InputError: the text is marked as UTF-16 or UTF-32 but is not valid.
    """
    content = in_utf8(content, name).removeprefix(codecs.BOM_UTF8)
    beginning = content[:400]
    zeros = beginning.count(0)
    if zeros > len(beginning) / 3:  # UTF-16 behind a heading without ASCII: every other byte of a number is 0
        little = beginning[1::2].count(0) > beginning[::2].count(0)
        content = reencoded(content, "utf-16-le" if little else "utf-16-be", name)
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b'"' in content[:_HEADER]:
        content = _BROKEN_NAME.sub(rb"\1 \2", content[:_HEADER]) + content[_HEADER:]
    content = content.rstrip(b"\x1a")  # the end of a text in DOS
    content = content.replace("\u00a0".encode(), b" ").replace("\u2212".encode(), b"-")
    return replaced(_GAPS, b" ", content) if _LONG_GAP in content else content


def plain_nan(content: bytes) -> bytes:
    """Replace the Windows notations -nan(ind), 1.#QNAN and 1.#INF by nan."""
    is_there = any(sign in content for sign in (b".#", b".$", b"("))
    return replaced(_NOT_FINITE, b"nan", content) if is_there else content


def plain_rows(content: bytes) -> bytes:
    """Replace 1.#QNAN and errors of a spreadsheet's cells, such as #DIV/0!, by nan; remove comments behind numbers."""
    if b"#" in content or b".$" in content:
        content = replaced(_WITH_SIGN, b"nan", content)  # whose sign begins no comment
        content = replaced(_SPREADSHEET_ERROR, b"nan", content)
        content = replaced(_TOO_WIDE, b"nan", content)
    if any(sign in content for sign in (b"#", b"//", b"!", b"%")):
        content = replaced(_COMMENT_BEHIND, lambda row: row[1].rstrip(b" \t"), content)
    return content


def find_dialect(content: bytes, name: str | Path, *, nameless: bool = False) -> Dialect:
    """How a table is written.

    Args:
        content: from `decoded` and `plain_rows`.
        name: the file, for the log and for errors.
        nameless: no row of numbers can stand for the names of columns.

    Raises:
        InputError: there is no row of three numbers near the beginning, or the decimal sign is ambiguous.
    """
    start, above = _first_row(content, name)
    last = above[-1] if above else b""
    if start is None:
        if _has_words_beside_numbers(content):
            if any(names_coordinates(line, separator) for line in above for separator in _SEPARATORS):
                problem = f"has more than numbers in the columns of its rows, such as {_shown(_last_rows(content)[0])}"
                raise InputError(name, problem, "write plain numbers, without units and thousands separators")
            problem = f"has words in its rows, such as {_shown(_last_rows(content)[0])}, and no line that names x, y, z"
            raise InputError(name, problem, "name the columns, such as: name x y z, or write numbers alone")
        raise InputError(name, "holds no row of at least three numbers", _REMEDY)
    sample = _sample(content, start)
    separator, decimal_comma = _convention(sample)
    if groups_thousands([split(line, separator) for line in sample], b"," if decimal_comma else b"."):
        problem = f"has digits in groups of three in some of its whole numbers, such as {_shown(sample[0])}"
        raise InputError(name, problem, "write it without thousands separators")
    if decimal_comma:
        if any(re.search(rb"\d\.\d", line) for line in sample):
            problem = "has both decimal points and commas between digits"
            raise InputError(name, problem, "write it with one decimal sign and no thousands separators")
        logger.warning("%s: commas are read as decimal signs", name)
    if not nameless and counts_columns([split(line, separator) for line in sample], name):
        start, sample = content.find(b"\n", start) + 1, sample[1:]
        columns = len(split(sample[0], separator))
    else:
        columns = len(split(sample[0], separator))
        holes = _holes_above(content[:start], separator, split(sample[0], separator))
        start -= sum(len(line) + 1 for line in holes)
        for line in reversed(holes):
            if above and above[-1] == line.strip():
                above.pop()
        last = above[-1] if above else b""
    if not is_comment(last) and _is_spoilt_row(split(last, separator), columns):
        raise InputError(name, f"begins with a row that is not all numbers ({_shown(last)})", _REMEDY)
    check_lines_above(above, separator, columns, name)
    names = column_names(above, separator, sample, name)
    if separator == COMMA and b'"' not in sample[0]:
        check_commas(sample, name)
    return Dialect(separator, decimal_comma, start, names)


def _first_row(content: bytes, name: str | Path) -> tuple[int | None, list[bytes]]:
    """Where the first row begins, None if no row is near the beginning; and the lines above it that may be names."""
    start, named = 0, False
    above: list[bytes] = []
    left = MOST_ABOVE
    for _ in range(_SAMPLED_LINES):
        end = content.find(b"\n", start)
        line = content[start : end if end >= 0 else len(content)].strip()
        if not is_comment(line) and _is_row(line[:MOST_ABOVE], named) and not _is_underline(line, content, start):
            return start, above
        # The number of points, or the units of the columns, may come after the names.
        left -= 0 if line.isdigit() else len(line)
        if left < 0:
            problem = f"has more than {MOST_ABOVE} characters in the lines above its first row of numbers"
            raise InputError(name, problem, "remove what is no table")
        if line and not line.isdigit() and not (above and is_units(without_comment_sign(line))):
            above.append(line)
            named = named or any(names_coordinates(line, separator) for separator in _SEPARATORS)
        if end < 0:
            break
        repeated = content[start : end + 1] if end - start < _SHORT else b""
        start = end + 1
        for often in (_MANY, 1) if repeated else ():  # thousands of holes, as at the top of a picture
            while content.startswith(repeated * often, start):
                start += len(repeated) * often
    return None, above


def _is_underline(line: bytes, content: bytes, start: int) -> bool:
    """Whether a line of dashes, at `start`, stands for missing units or underlines names: no row like it follows."""
    return _is_of_dashes(line) and content.find(b"\n" + line + b"\n", start + len(line)) < 0


def _is_of_dashes(line: bytes) -> bool:
    """Whether a line holds nothing but dashes, at least one, and separators."""
    return b"-" in line and not line.strip(_DASHES_AND_SEPARATORS)


def _is_row(line: bytes, named: bool) -> bool:
    """Whether a line is a row of the table: numbers, or what stands for them; words only below names of coordinates."""
    for separator in (SEMICOLON, TAB, COMMA, BLANK):
        if separator is not None and separator not in line:
            continue
        cells = split(line, separator)
        numbers = sum(is_numeric(cell) or _special(cell) for cell in cells)
        missing = sum(_IS_MISSING.fullmatch(cell) is not None for cell in cells)
        if len(cells) < 3:
            continue
        if numbers + missing == len(cells) and (numbers >= 2 or named or (numbers and separator is not None)):
            return True
        if numbers >= 3 and named:
            return True
    return False


def _holes_above(content: bytes, separator: bytes | None, first: list[bytes]) -> list[bytes]:
    """The lines at the end of what stands above the first row of numbers that are rows too, of missing numbers.

    The first ones belong to a title or to names above them if they are dashes, or, below a title, empty cells.
    """
    lines = content.split(b"\n")[:-1]
    count = 0
    while count < len(lines) and _is_hole(lines[-1 - count], separator, first):
        count += 1
    above = [line.strip() for line in dict.fromkeys(lines[: len(lines) - count])]
    titles = [line for line in above if line and not is_comment(line) and not line.isdigit()]
    named = any(names_coordinates(line, separator) for line in titles)
    while titles and count and (_is_of_dashes(lines[-count]) or not (named or lines[-count].strip(b",; \t"))):
        count -= 1
    return lines[-count:] if count else []


def _is_hole(line: bytes, separator: bytes | None, first: list[bytes]) -> bool:
    """Whether some cells are missing and the others are numbers, or words where the first row of numbers has words."""
    cells = split(line, separator)
    if len(cells) != len(first) or not any(map(_IS_MISSING.fullmatch, cells)):
        return False
    return all(
        _IS_MISSING.fullmatch(cell) or is_numeric(cell) or _special(cell) or not (is_numeric(below) or _special(below))
        for cell, below in zip(cells, first, strict=True)
    )


def _has_words_beside_numbers(content: bytes) -> bool:
    """Whether the last of the sampled lines hold at least three numbers each beside words."""
    lines = _last_rows(content)
    return bool(lines) and all(sum(map(is_numeric, re.split(rb"[,;\s]+", line.strip()))) >= 3 for line in lines)


def _last_rows(content: bytes) -> list[bytes]:
    return _rows(content[: 100 * _SAMPLED_LINES])[-10:-1]


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", errors="replace"))


def _special(cell: bytes) -> bool:
    return _NOT_FINITE.fullmatch(cell) is not None


def _is_spoilt_row(cells: list[bytes], columns: int) -> bool:
    """Whether a line above the first row was meant as a row, for example with thousands separators."""
    return len(cells) == columns and all(re.match(rb"[+-]?[.,]?\d", cell) for cell in cells)


def _sample(content: bytes, start: int) -> list[bytes]:
    """Rows from the beginning and from throughout the file: a comma may come late."""
    lines = _rows(content[start : start + 100 * _SAMPLED_LINES])
    stride = max(1, (len(content) - start) // 200)
    for place in range(start + stride, len(content), stride):
        lines += _rows(content[place : place + 600])[1:3]
    return lines


def _rows(piece: bytes) -> list[bytes]:
    return [line for line in piece.split(b"\n")[:_SAMPLED_LINES] if line.strip() and not is_comment(line)]


def _convention(sample: list[bytes]) -> tuple[bytes | None, bool]:
    """The separator, and whether commas are decimal signs."""
    with_comma = [line for line in sample if b"," in line]
    for separator in (SEMICOLON, TAB, BLANK):
        if separator is not None and not any(separator in line for line in sample):
            continue
        cells = [cell for line in with_comma for cell in split(line, separator) if b"," in cell]
        if not cells:
            if separator is not None or not with_comma:
                return separator, False
            continue
        # Where each comma stands at the beginning of a cell, as in "1 ,2 ,3", it separates.
        digits_before = any(not cell.lstrip(b"+-").startswith(b",") for cell in cells)
        if (
            digits_before
            and all(len(split(line, separator)) >= 3 for line in with_comma)
            and all(map(_DECIMAL_COMMA.fullmatch, cells))
        ):
            return separator, True
        if separator == SEMICOLON:
            return separator, False  # parsing reports what is wrong
    quoted = [cell for line in with_comma for cell in split(line, COMMA) if b"," in cell]
    return COMMA, bool(quoted) and all(map(_DECIMAL_COMMA.fullmatch, quoted))
