"""Validates the files of a run: results.json, run.json, curves.json, scores.csv and losses.csv.

They may have been copied, edited, or written by another version. Whatever passes these checks is shown and compared
without further checks; anything else is refused with the name of the file and of the invalid part. Unknown keys are
kept but ignored.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pointad.errors import InputError

LARGEST = 1e9  # of any number in these files
_ROUNDING = 1e-6  # by which a fraction may leave the range from 0 to 1
_MOST_COLUMNS = 100  # metrics of all modalities: a table has a cell of each for every class

Record = TypeVar("Record")


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
    try:
        return read(_table(facts, "run", path, remedy))
    except ValueError as error:
        raise InputError(path, f"its run's {error}", remedy) from error


def check_classes(classes: Any, path: str | Path, remedy: str) -> dict[str, dict[str, dict[str, float | None]]]:
    """The metrics of results.json: class -> modality -> metric -> fraction from 0 to 1, or null where it is undefined.

    Raises:
        InputError: the content is invalid.
    """
    for class_name, of_class in _table(classes, "classes", path, remedy).items():
        for modality, metrics in _table(of_class, class_name, path, remedy).items():
            for metric, value in _table(metrics, f"{class_name}, {modality}", path, remedy).items():
                where = f"{class_name}, {modality}, {metric}"
                if value is not None and not is_number(value):
                    raise InputError(path, f"{where}: expected a number, found {value!r:.80}", remedy)
                if value is not None and not -_ROUNDING <= value <= 1 + _ROUNDING:
                    raise InputError(path, f"{where}: expected a fraction from 0 to 1, found {value!r:.80}", remedy)
    return classes


def check_result_table(classes: Any, path: str | Path, remedy: str) -> dict[str, dict[str, dict[str, float | None]]]:
    """The same for figures that are shown as a table: few metrics, or its cells would take the square of the file.

    Raises:
        InputError: the content is invalid.
    """
    checked = check_classes(classes, path, remedy)
    columns = {(name, metric) for of_class in checked.values() for name, one in of_class.items() for metric in one}
    if len(columns) > _MOST_COLUMNS:
        problem = f"has {len(columns)} different metrics, {_MOST_COLUMNS} at most are expected"
        raise InputError(path, problem, remedy)
    return checked


def check_fingerprints(content: Any, name: str, path: str | Path, remedy: str) -> dict[str, str]:
    """The fingerprints of masks or pictures in results.json: class -> text.

    Raises:
        InputError: the content is invalid.
    """
    for class_name, text in _table(content, name, path, remedy).items():
        if not isinstance(text, str):
            raise InputError(path, f"{name}, {class_name}: expected a text, found {text!r:.80}", remedy)
    return content


def check_parts(content: Any, name: str, path: str | Path, remedy: str) -> dict[str, dict[str, str]]:
    """The fingerprints of views or of good scans in results.json: class -> view or identifier -> text.

    Raises:
        InputError: the content is invalid.
    """
    for class_name, of_class in _table(content, name, path, remedy).items():
        check_fingerprints(of_class, f"{name}, {class_name}", path, remedy)
    return content


def check_counts(content: Any, name: str, path: str | Path, remedy: str) -> dict[str, int]:
    """Numbers of samples in results.json: class -> count.

    Raises:
        InputError: the content is invalid.
    """
    for class_name, count in _table(content, name, path, remedy).items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise InputError(path, f"{name}, {class_name}: expected a count, found {count!r:.80}", remedy)
    return content


def check_curves(content: Any, path: str | Path, remedy: str) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """The curves of a run: class -> modality -> "image" | "pixel" -> "roc" | "pro" -> two columns of one length.

    Raises:
        InputError: the content is invalid.
    """
    for class_name, of_class in _table(content, "curves", path, remedy).items():
        for modality, levels in _table(of_class, class_name, path, remedy).items():
            for level, kinds in _table(levels, f"{class_name}, {modality}", path, remedy).items():
                for kind, curve in _table(kinds, f"{class_name}, {modality}, {level}", path, remedy).items():
                    if curve is not None:
                        _check_curve(curve, f"{class_name}, {modality}, {level}, {kind}", path, remedy)
    return content


def score_row(row: Mapping[Any, Any], path: str | Path, number: int) -> tuple[int, dict[str, float]]:
    """Label and scores by column from a row of scores.csv.

    Args:
        row: column -> cell.
        path: the file.
        number: of the row, from 1.

    Raises:
        InputError: a cell is missing or invalid.
    """
    remedy = "run test.py again"
    if None in row or any(not isinstance(row.get(name), str) for name in ("class", "species", "id", "label")):
        raise InputError(path, f"row {number}: expected class, species, id, label and scores", remedy)
    if row["label"] not in ("0", "1"):
        raise InputError(path, f"row {number}: expected the label 0 or 1, found {row['label']!r:.80}", remedy)
    scores = {name: cell for name, cell in row.items() if name.endswith("_score") and cell}
    return int(row["label"]), {name: _number(cell, path, f"row {number}", remedy) for name, cell in scores.items()}


def loss_columns(rows: Sequence[Mapping[Any, Any]], names: Sequence[str], path: str | Path) -> dict[str, list[float]]:
    """The columns of losses.csv by name.

    Args:
        rows: column -> cell.
        names: of the columns.
        path: the file.

    Raises:
        InputError: a cell is missing or not a number, or the epochs do not count upwards from 1.
    """
    remedy = "remove it or train again"
    columns: dict[str, list[float]] = {name: [] for name in names}
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise InputError(path, f"row {number}: has more cells than there are columns", remedy)
        for name in names:
            columns[name].append(_number(row[name], path, f"row {number}, {name}", remedy))
    epochs = columns.get("epoch", [])
    if rows and (not epochs or epochs[0] < 1 or any(later < sooner for sooner, later in itertools.pairwise(epochs))):
        raise InputError(path, "expected a column of epochs that count upwards from 1", remedy)
    return columns


def _check_curve(curve: Any, where: str, path: str | Path, remedy: str) -> None:
    columns: list[Any] = [None]
    if isinstance(curve, dict):
        columns = [curve.get(name) for name in ("false_positive_rate", "height")]
    if not all(isinstance(column, list) and all(map(is_number, column)) for column in columns):
        raise InputError(path, f"{where}: expected two lists of numbers, false_positive_rate and height", remedy)
    x, y = columns
    if len(x) != len(y) or any(later < sooner for sooner, later in itertools.pairwise(x)):
        raise InputError(path, f"{where}: expected columns of one length, the first one rising", remedy)


def _table(value: Any, where: str, path: str | Path, remedy: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(path, f"{where}: expected a table, found {_kind(value)}", remedy)
    return value


def _number(cell: Any, path: str | Path, where: str, remedy: str) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not is_number(value):
        raise InputError(path, f"{where}: expected a number, found {cell!r:.80}", remedy)
    return value


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
