"""Facts of a record that no run can have, such as -1 good scans: tables and titles would show them as they stand.

Nor may those be long texts that a table repeats in every row: it would take the square of its file.
"""

import dataclasses
from typing import Any

from pointad.scoring.options import LARGEST_SIGMA

_COUNTS = ("shots", "draws", "epochs", "batch_size", "region_neighbours", "image_size", "point_size", "n_ctx")
_NOT_NEGATIVE = (
    *("sample_count", "epoch", "depth", "t_n_ctx", "views", "sigma", "learning_rate", "metres_per_unit"),
    "loss_weights",
)
_LEAST = {**dict.fromkeys(_NOT_NEGATIVE, 0), **dict.fromkeys(_COUNTS, 1), "features_list": 1}
_IN_EVERY_ROW = (
    *("name", "dataset", "dataset_title", "training_dataset", "training_class", "protocol", "backbone", "prompts"),
    *("view_fusion", "fusion", "aupro", "precision", "code", "revision"),
)
_LONGEST_TEXT = 1000  # characters
_LARGEST = dict.fromkeys(_LEAST, 2**63 - 1) | {"sigma": LARGEST_SIGMA}  # what flags take


def check_plausible(record: Any) -> None:
    """Check the numbers of a record, and of the training in it, and the texts of tables; a seed may be any number.

    Args:
        record: a `RunRecord` or `TrainingRecord`, whose facts have the right types.

    Raises:
        ValueError: a fact is out of range, not finite or too long; the message names it.
    """
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            check_plausible(value)
        elif field.name in _LEAST:
            for name, number in _numbers(field.name, value):
                _check(name, number, _LEAST[field.name], _LARGEST[field.name])
        elif field.name in _IN_EVERY_ROW and len(value or "") > _LONGEST_TEXT:
            raise ValueError(f"{field.name} has {len(value)} characters, expected at most {_LONGEST_TEXT}")


def _numbers(name: str, value: Any) -> list[tuple[str, float]]:
    if isinstance(value, dict):
        return [(f"{name}.{key}", each) for key, each in value.items()]
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    return [(name, each) for each in values]


def _check(name: str, value: float, least: int, largest: int) -> None:
    if not least <= value:  # nor is NaN
        raise ValueError(f"{name} is {value!r:.60}, expected at least {least}")
    if value > largest:
        raise ValueError(f"{name} is {value!r:.60}, expected at most {largest}")
