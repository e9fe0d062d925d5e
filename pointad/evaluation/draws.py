"""Figures of a few-shot test: one set of metrics per draw of the good scans, their mean and their spread."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointad.evaluation.run_schema import check_result_table

_ROUNDING = 1e-6  # by which a mean in a file may differ from that of its draws

Classes = dict[str, dict[str, dict[str, float | None]]]  # class -> modality -> metric -> fraction or None


@dataclass(frozen=True)
class Draw:
    """What was measured with the good scans of one draw."""

    classes: Classes
    good_scans: dict[str, tuple[str, ...]]  # class -> identifiers of the good scans that were drawn


def mean_over_draws(draws: Sequence[Draw]) -> Classes:
    """The mean of every figure over the draws in which it is defined; None where it is in none."""
    return _over_draws(draws, statistics.fmean, fewest=1)


def deviation_over_draws(draws: Sequence[Draw]) -> Classes:
    """The sample standard deviation of every figure over the draws; None with fewer than two."""
    return _over_draws(draws, statistics.stdev, fewest=2)


def largest_bounds(bounds: Sequence[Mapping[str, Mapping[str, float | None]]]) -> dict[str, dict[str, float | None]]:
    """Bounds on the error of a mean over draws, from those of the draws.

    Args:
        bounds: of each draw, modality -> metric -> bound, None if it is unknown; empty where figures are exact.
    """
    found: dict[str, dict[str, float | None]] = {}
    for of_draw in bounds:
        for modality, of_modality in of_draw.items():
            for metric, bound in of_modality.items():
                before = found.setdefault(modality, {}).get(metric, 0.0)
                found[modality][metric] = None if bound is None or before is None else max(bound, before)
    return found


def check_draws(draws: Sequence[Draw], classes: Classes, number: int | None) -> None:
    """Refuse draws whose mean is not what their file tells beside them: a table would show figures of both.

    Args:
        draws: of good scans; none in a zero-shot test.
        classes: the means over them, as in the file.
        number: how many draws the run made, as far as the file tells.

    Raises:
        ValueError: their number, classes or figures differ.
    """
    if not draws:
        return
    if number is not None and number != len(draws):
        raise ValueError(f"holds {len(draws)} draws of good scans, but its run made {number}")
    if any(draw.classes.keys() != classes.keys() for draw in draws):
        raise ValueError("its draws of good scans are of other classes than its figures")
    for class_name, modality, metric, value in _figures(mean_over_draws(draws)):
        told = classes[class_name].get(modality, {}).get(metric)
        if (value is None) != (told is None) or not math.isclose(value or 0, told or 0, abs_tol=_ROUNDING):
            where = f"{class_name}, {modality}, {metric}"
            raise ValueError(f"{where}: is {told}, but the mean of its draws is {value}")


def draws_to_json(draws: Sequence[Draw]) -> list[dict[str, Any]]:
    """As stored in `results.json`."""
    return [{"classes": draw.classes, "good_scans": draw.good_scans} for draw in draws]


def draws_from_json(content: Any) -> tuple[Draw, ...]:
    """The same read back; from None, as for a test without good scans, there are none.

    Raises:
        ValueError: the content is invalid.
    """
    if content is None:
        return ()
    if not isinstance(content, list) or not all(isinstance(draw, dict) for draw in content):
        raise ValueError("draws: expected a list of tables")
    return tuple(Draw(check_result_table(draw.get("classes")), _names(draw.get("good_scans", {}))) for draw in content)


def _names(content: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(content, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in content.values()
    ):
        raise ValueError("draws, good_scans: expected a list of names for every class")
    return {class_name: tuple(names) for class_name, names in content.items()}


def _over_draws(draws: Sequence[Draw], summarize: Callable[[Sequence[float]], float], fewest: int) -> Classes:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for draw in draws:
        for class_name, modality, metric, value in _figures(draw.classes):
            values[class_name, modality, metric] += [] if value is None else [value]
    found: Classes = {}
    for (class_name, modality, metric), defined in values.items():
        of_modality = found.setdefault(class_name, {}).setdefault(modality, {})
        of_modality[metric] = summarize(defined) if len(defined) >= fewest else None
    return found


def _figures(classes: Classes) -> Iterator[tuple[str, str, str, float | None]]:
    for class_name, of_class in classes.items():
        for modality, metrics in of_class.items():
            for metric, value in metrics.items():
                yield class_name, modality, metric, value
