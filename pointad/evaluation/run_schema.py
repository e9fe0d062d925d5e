"""Validates the files of a run: results.json, run.json, curves.json, scores.csv and losses.csv.

They may have been copied, edited, or written by another version. Whatever passes these checks is shown and compared
without further checks; anything else is a ValueError that names the invalid part, and within :func:`faults_of` an error
that names the file as well. Unknown keys are kept but ignored.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pointad.datasets.class_names import LONGEST_CLASS
from pointad.errors import InputError

LARGEST = 1e9  # of any number in these files
_ROUNDING = 1e-6  # by which a fraction may leave the range from 0 to 1
_LONGEST_METRIC = 400  # characters of its name, or of a modality's, and so of every cell below it
_MOST_COLUMNS = 100  # metrics of all modalities: a table has a cell of each for every class
_MOST_MODALITIES = 10  # each gets a table, for which the means of all are computed; there are three

Record = TypeVar("Record")


@contextlib.contextmanager
def faults_of(path: str | Path, remedy: str) -> Iterator[None]:
    """Within the block, a ValueError about the content of a file is an InputError that names the file."""
    try:
        yield
    except ValueError as error:
        raise InputError(path, str(error), remedy) from error


def is_number(value: Any) -> bool:
    """Whether a value is a finite number of plausible size; booleans do not count."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def checked_record(read: Callable[[Mapping[str, Any]], Record], facts: Any, path: str | Path, remedy: str) -> Record:
    """Convert the facts of a training or test run to a record.

    Args:
        read: `TrainingRecord.from_json` or `RunRecord.from_json`, which know the types.
        facts: from run.json, from the file beside a checkpoint, or from "run" in results.json.
        path: the file.
        remedy: what to do about a broken one.

    Raises:
        InputError: they are not a table, or a fact has the wrong type.
    """
    with faults_of(path, remedy):
        table = _table(facts, "run")
        try:
            return read(table)
        except ValueError as error:
            raise ValueError(f"its run's {error}") from error


def check_classes(classes: Any) -> dict[str, dict[str, dict[str, float | None]]]:
    """The metrics of results.json: class -> modality -> metric -> fraction from 0 to 1, or null where it is undefined.

    Raises:
        ValueError: the content is invalid.
    """
    for class_name, of_class in _classes(classes, "classes"):
        for modality, metrics in _table(of_class, class_name).items():
            for metric, value in _table(metrics, f"{class_name}, {modality}").items():
                where = f"{class_name}, {modality}, {metric}"
                if value is not None and not is_number(value):
                    raise ValueError(f"{where}: expected a number, found {value!r:.80}")
                if value is not None and not -_ROUNDING <= value <= 1 + _ROUNDING:
                    raise ValueError(f"{where}: expected a fraction from 0 to 1, found {value!r:.80}")
    return classes


def check_result_table(classes: Any) -> dict[str, dict[str, dict[str, float | None]]]:
    """The same for figures that are shown as a table: few metrics, or its cells would take the square of the file.

    Raises:
        ValueError: the content is invalid.
    """
    checked = check_classes(classes)
    columns = {(name, metric) for of_class in checked.values() for name, one in of_class.items() for metric in one}
    if len(columns) > _MOST_COLUMNS:
        problem = f"has {len(columns)} different metrics, {_MOST_COLUMNS} at most are expected"
        raise ValueError(problem)
    modalities = {name for of_class in checked.values() for name in of_class}
    if len(modalities) > _MOST_MODALITIES:
        raise ValueError(f"has {len(modalities)} different modalities, {_MOST_MODALITIES} at most are expected")
    longest = max((len(name) for column in columns for name in column), default=0)
    if longest > _LONGEST_METRIC:
        raise ValueError(f"has a metric of {longest} characters, {_LONGEST_METRIC} at most are expected")
    return checked


def check_fingerprints(content: Any, name: str) -> dict[str, str]:
    """The fingerprints of masks or pictures in results.json: class -> text.

    Raises:
        ValueError: the content is invalid.
    """
    for class_name, text in _table(content, name).items():
        if not isinstance(text, str):
            raise ValueError(f"{name}, {class_name}: expected a text, found {text!r:.80}")
    return content


def check_parts(content: Any, name: str) -> dict[str, dict[str, str]]:
    """The fingerprints of views or of good scans in results.json: class -> view or identifier -> text.

    Raises:
        ValueError: the content is invalid.
    """
    for class_name, of_class in _table(content, name).items():
        check_fingerprints(of_class, f"{name}, {class_name}")
    return content


def check_counts(content: Any, name: str) -> dict[str, int]:
    """Numbers of samples in results.json: class -> count.

    Raises:
        ValueError: the content is invalid.
    """
    for class_name, count in _table(content, name).items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"{name}, {class_name}: expected a count, found {count!r:.80}")
    return content


def check_curves(content: Any) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """The curves of a run: class -> modality -> "image" | "pixel" -> "roc" | "pro" -> two columns of one length.

    Raises:
        ValueError: the content is invalid.
    """
    for class_name, of_class in _classes(content, "curves"):
        for modality, levels in _table(of_class, class_name).items():
            for level, kinds in _table(levels, f"{class_name}, {modality}").items():
                for kind, curve in _table(kinds, f"{class_name}, {modality}, {level}").items():
                    if curve is not None:
                        _check_curve(curve, f"{class_name}, {modality}, {level}, {kind}")
    return content


def score_row(row: Mapping[Any, Any], number: int) -> tuple[int, dict[str, float]]:
    """Label and scores by column from a row of scores.csv.

    Args:
        row: column -> cell.
        number: of the row, from 1.

    Raises:
        ValueError: a cell is missing or invalid.
    """
    if None in row or any(not isinstance(row.get(name), str) for name in ("class", "species", "id", "label")):
        raise ValueError(f"row {number}: expected class, species, id, label and scores")
    if row["label"] not in ("0", "1"):
        raise ValueError(f"row {number}: expected the label 0 or 1, found {row['label']!r:.80}")
    scores = {name: cell for name, cell in row.items() if name.endswith("_score") and cell}
    return int(row["label"]), {name: _number(cell, f"row {number}") for name, cell in scores.items()}


def loss_columns(rows: Sequence[Mapping[Any, Any]], names: Sequence[str]) -> dict[str, list[float]]:
    """The columns of losses.csv by name.

    Args:
        rows: column -> cell.
        names: of the columns.

    Raises:
        ValueError: a cell is missing or not a number, or the epochs do not count upwards from 1.
    """
    columns: dict[str, list[float]] = {name: [] for name in names}
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise ValueError(f"row {number}: has more cells than there are columns")
        for name in names:
            columns[name].append(_number(row[name], f"row {number}, {name}"))
    epochs = columns.get("epoch", [])
    if rows and (not epochs or epochs[0] < 1 or any(later < sooner for sooner, later in itertools.pairwise(epochs))):
        raise ValueError("expected a column of epochs that count upwards from 1")
    return columns


def _check_curve(curve: Any, where: str) -> None:
    columns: list[Any] = [None]
    if isinstance(curve, dict):
        columns = [curve.get(name) for name in ("false_positive_rate", "height")]
    if not all(isinstance(column, list) and all(map(is_number, column)) for column in columns):
        raise ValueError(f"{where}: expected two lists of numbers, false_positive_rate and height")
    x, y = columns
    if len(x) != len(y) or any(later < sooner for sooner, later in itertools.pairwise(x)):
        raise ValueError(f"{where}: expected columns of one length, the first one rising")


def _classes(value: Any, where: str) -> Iterable[tuple[str, Any]]:
    """The entries of a table of classes, whose names all charts repeat."""
    entries = _table(value, where).items()
    longest = max((len(name) for name, _ in entries), default=0)
    if longest > LONGEST_CLASS:
        raise ValueError(f"{where}: a name has {longest} characters, {LONGEST_CLASS} at most are expected")
    return entries


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected a table, found {_kind(value)}")
    return value


def _number(cell: Any, where: str) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not is_number(value):
        raise ValueError(f"{where}: expected a number, found {cell!r:.80}")
    return value


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
