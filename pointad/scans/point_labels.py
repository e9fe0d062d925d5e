"""Reads ground truth with one label per point, without coordinates."""

import io
import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pointad.errors import InputError
from pointad.files.npy_files import read_npy
from pointad.files.regular import read_bytes, regular_file_size
from pointad.scans.other_formats import check_beginning
from pointad.scans.scan_file import MOST_POINTS
from pointad.scans.text_cells import replaced
from pointad.scans.text_dialect import decoded
from pointad.scans.whole_numbers import are_whole

logger = logging.getLogger(__name__)

# Words are what blanks, tabs, semicolons and quotes separate.
_NO_NUMBER = re.compile(rb"(?<![^\s;\"'])(?![+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?(?![^\s;\"']))[^\s;\"']")
_SEVERAL_IN_A_ROW = re.compile(rb"[^\s;\"'][ \t;\"']+[^\s;\"']")
_NO_FRACTION = re.compile(rb"(?<![^\s;\"'])\+?(?!0*,|[01](?:,0*)?(?![^\s;\"'])|\d+(?:,\d*)?[eE])[^\s;\"'+]")
_NO_LABEL = re.compile(rb",0*[1-9]")
_SURE_FRACTION = re.compile(rb"(?m)[eE]|(?<!\d),|,\d\d|^[ \t\"']*[01][ \t;\"']*$")  # if the commas are decimal signs
_DIGIT = re.compile(rb",[2-9]")
_COMMENT = re.compile(rb"(?:#|//)[^\n]*")
_BESIDE_QUOTE = re.compile(rb"\"[ \t]*,|,[ \t]*\"")  # a comma that is no decimal sign
_NAMES = re.compile(rb"\s*(?:(?:\"\")?[,;\t])?\"?[A-Za-z_][^\n]*\n")  # the first may be missing: that of row numbers
_FLAG = re.compile(rb"(?<![\w.])(?:(true)|false)(?![\w.])", re.IGNORECASE)
_TO_BLANKS = bytes.maketrans(b",;\t\"'", b"     ")
_COMMA_TO_POINT = bytes.maketrans(b",", b".")
_REMEDY = "give one label per line"
_MOST_KINDS = 32  # of labels, where whole numbers tell kinds of defects apart
_COORDINATES = 3
_MOST_COLUMNS = 100


def read_labels(path: str | Path) -> np.ndarray:
    """Read one label per point from text, one per line or all in a single one, or from an `.npy` array (N,).

    Of several columns, `label_column` chooses. Beside labels, a column of row numbers from 0 or 1 gives their order,
    which is logged.

    Returns:
        (N,) bool, True where the number is above one half.

    Raises:
        InputError: the file is missing, empty, has rows of different lengths, holds values that are not finite, marks
            every point, has several columns of which none is certain to be labels, or numbers its rows with gaps.
    """
    return labels_of_rows(read_label_rows(path), Path(path))


def read_label_rows(path: str | Path) -> np.ndarray:
    """The numbers (N, C) float64 of a text file, or of an array (N,) or a single line with C = 1.

    Raises:
        InputError: the file is missing, empty, or has rows of different lengths.
    """
    path = Path(path)
    check_is_ground_truth(path)
    return _array(path) if path.suffix.lower() == ".npy" else _text(path)


def check_is_ground_truth(path: Path) -> None:
    """Refuse a file that does not begin like text or an array.

    Raises:
        InputError: it is missing, empty, a Git LFS pointer, a web page, compressed, or in another format.
    """
    regular_file_size(path)
    check_beginning(path, (".npy",), "a list of labels", "give text with one label per line, or rows x y z label")


def labels_of_rows(values: np.ndarray, path: Path) -> np.ndarray:
    """The labels (N,) bool that rows (N, C) of the file hold; see `read_labels`.

    Raises:
        InputError: as there.
    """
    if not values.size or not np.isfinite(values[:, -1]).all():
        raise InputError(path, "holds no label, or one that is not finite", _REMEDY)
    column = 0
    if values.shape[1] > 1:
        columns = range(values.shape[1])
        others = [place for place in columns if not _numbers_points(values[:, place])]
        among = others if len(values) > _MOST_KINDS and len(others) == 1 else columns
        column = label_column(values, among, path, f"{_REMEDY}, or rows x y z label")
    elif not _is_label_like(values[:, column]):
        _check_degrees(values[:, column], path)
    return marked(_in_order(values, column, path)[:, column], path)


def label_column(values: np.ndarray, columns: Sequence[int], path: Path, remedy: str) -> int:
    """Which of some columns of (N, C) numbers holds the labels: the last, or the only one of just 0 and 1.

    It is logged if it is not the last of all columns, or not the only one of 0 and 1.

    Raises:
        InputError: the last is not a few whole numbers, or others are, too, as where colours tell what is marked.
    """
    binary = [column for column in columns if np.isin(values[:, column], (0, 1)).all() and np.ptp(values[:, column])]
    if len(binary) == 1 or columns[-1] in binary:
        if binary != [values.shape[1] - 1]:
            said = "as only it consists" if len(binary) == 1 else "the last one that consists"
            message = "%s: column %d of %d is read as the labels, %s of 0 and 1"
            logger.warning(message, path, binary[-1] + 1, values.shape[1], said)
        return binary[-1]
    several = any(_is_label_like(values[:, column]) and _repeats(values[:, column]) for column in columns[:-1])
    if several or not _is_label_like(values[:, columns[-1]]):
        problem = f"has {values.shape[1]} columns, none of which is certain to be the labels"
        raise InputError(path, problem, remedy)
    if columns[-1] != values.shape[1] - 1:
        message = "%s: column %d of %d is read as the labels, the last one without coordinates"
        logger.warning(message, path, columns[-1] + 1, values.shape[1])
    return columns[-1]


def marked(numbers: np.ndarray, path: Path) -> np.ndarray:
    """Flags (N,) of the labels (N,) above one half; those below 0, which may mean other things than normal, are logged.

    Raises:
        InputError: as by `check_share`.
    """
    below = int(np.count_nonzero(numbers < 0))
    if below:
        logger.warning("%s: has labels below 0 (%d), which count as normal", path, below)
    labels = numbers > 0.5
    check_share(labels, path)
    return labels


def with_flags_as_numbers(content: bytes) -> bytes:
    """A text in which the words true and false, in any case, are 1 and 0."""
    return replaced(_FLAG, lambda found: b"1" if found[1] else b"0", content)


def _is_label_like(column: np.ndarray) -> bool:
    """Whether numbers (N,) can be labels: a few different whole numbers."""
    finite = np.unique(column[np.isfinite(column)])
    return len(finite) <= _MOST_KINDS and are_whole(finite)


def _repeats(column: np.ndarray) -> bool:
    """Whether numbers (N,) differ, but not all of them, as row numbers do."""
    return 1 < len(np.unique(column)) < len(column)


def check_share(labels: np.ndarray, path: Path) -> None:
    """Refuse labels (N,) that mark every point, and log those that mark more than half: they may be inverted.

    Raises:
        InputError: they mark every point.
    """
    share = float(labels.mean()) if len(labels) else 0.0
    if share == 1.0 and len(labels) > 1:
        raise InputError(path, "marks every point as anomalous", "give labels that are 0 where the object is normal")
    if share > 0.5:
        logger.warning("%s: marks %.0f %% of the points as anomalous; the labels may be inverted", path, 100 * share)


def _check_degrees(column: np.ndarray, path: Path) -> None:
    """Refuse numbers (N,) that are no labels, such as a coordinate; log those from 0 to 1, of which half counts."""
    low, high = float(column.min()), float(column.max())
    if low < 0 or high > 1:
        problem = f"has numbers from {low:g} to {high:g}, which are not labels: labels are a few whole numbers"
        raise InputError(path, problem, _REMEDY)
    logger.warning("%s: has numbers between 0 and 1; points above one half are read as anomalous", path)


def _array(path: Path) -> np.ndarray:
    values = read_npy(path, "iufb", MOST_POINTS)
    if sum(length != 1 for length in values.shape) > 1:
        raise InputError(path, f"has shape {values.shape}", "give one label per point, (points,)")
    return values.reshape(-1, 1).astype(np.float64)


def _text(path: Path) -> np.ndarray:
    content = with_flags_as_numbers(replaced(_COMMENT, b"", decoded(read_bytes(path), path)))
    names = _NAMES.match(content)
    if names is not None:
        content = content[names.end() :]
    content = replaced(_BESIDE_QUOTE, b'" ', content)
    if _has_decimal_commas(content, path):
        content = content.translate(_COMMA_TO_POINT)
    content = content.translate(_TO_BLANKS)
    if not content.strip():
        raise InputError(path, "is empty", _REMEDY)
    try:
        rows = np.loadtxt(io.BytesIO(content), dtype=np.float64, comments=None, ndmin=2, encoding="latin1")
    except (ValueError, OverflowError) as error:
        raise InputError(path, f"is not a list of labels ({error})", _REMEDY) from error
    if len(rows) == 1 and rows.shape[1] > _COORDINATES + 1:  # else of a single point
        return rows.T
    require_few_columns(rows, path)
    return rows


def require_few_columns(values: np.ndarray, path: Path) -> None:
    """Refuse rows (N, C) of so many numbers that looking for the labels among them would take long.

    Raises:
        InputError: as it says.
    """
    if values.shape[1] > _MOST_COLUMNS:
        problem = f"has rows of {values.shape[1]} numbers, more than {_MOST_COLUMNS}"
        raise InputError(path, problem, f"{_REMEDY}, or rows x y z label")


def _has_decimal_commas(content: bytes, path: Path) -> bool:
    """Whether commas are decimal signs: of numbers beside others, or alone in their rows and from 0 to 1, such as 0,95.

    Raises:
        InputError: they may be that, or stand between two columns, as all have one digit behind the comma.
    """
    if b"," not in content or _NO_NUMBER.search(content):
        return False
    if _SEVERAL_IN_A_ROW.search(content):
        return True
    if _NO_FRACTION.search(content):
        return False
    if not _NO_LABEL.search(content) or _SURE_FRACTION.search(content):
        return True
    if _DIGIT.search(content):
        problem = "may hold numbers with decimal commas, or two columns"
        raise InputError(path, problem, "write decimal points, or blanks between the columns")
    return False


def _in_order(values: np.ndarray, label: int, path: Path) -> np.ndarray:
    """Rows with a column that numbers the points, wherever it is, sorted by it.

    Raises:
        InputError: a column beside the labels, and perhaps another one, numbers the points, but with gaps.
    """
    label %= values.shape[1]
    others = [place for place in range(values.shape[1]) if place != label]
    for place in others:
        if _numbers_points(values[:, place]):
            logger.warning("%s: column %d numbers the points; the labels are put in its order", path, place + 1)
            return values[np.argsort(values[:, place], kind="stable")]
    for place in others if values.shape[1] <= _COORDINATES else ():
        numbers = values[:, place]
        if not np.isfinite(numbers).all() or not are_whole(numbers):
            continue
        different = len(np.unique(numbers))
        if different == len(numbers) or (values.shape[1] == 2 and different > _MOST_KINDS):
            problem = f"has row numbers in column {place + 1} that are not 0 to {len(values) - 1} or 1 to {len(values)}"
            raise InputError(path, problem, _REMEDY)
    return values


def _numbers_points(numbers: np.ndarray) -> bool:
    """Whether numbers (N,) are 0 to N - 1 or 1 to N, in any order."""
    ordered = np.sort(numbers)
    return len(ordered) > 1 and ordered[0] in (0, 1) and np.array_equal(ordered, ordered[0] + np.arange(len(ordered)))
