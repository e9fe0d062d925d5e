"""Figures of a few-shot test: one set of metrics per draw of the good scans, their mean and their spread."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.evaluation.run_schema import check_classes

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


def draws_to_json(draws: Sequence[Draw]) -> list[dict[str, Any]]:
    """As stored in `results.json`."""
    return [{"classes": draw.classes, "good_scans": draw.good_scans} for draw in draws]


def draws_from_json(content: Any, path: str | Path, remedy: str) -> tuple[Draw, ...]:
    """The same read back.

    Args:
        content: what the file holds; None for a test without good scans.
        path: the file.
        remedy: what to do about a broken one.

    Raises:
        InputError: the content is invalid.
    """
    if content is None:
        return ()
    if not isinstance(content, list) or not all(isinstance(draw, dict) for draw in content):
        raise InputError(path, "draws: expected a list of tables", remedy)
    return tuple(
        Draw(check_classes(draw.get("classes"), path, remedy), _names(draw.get("good_scans", {}), path, remedy))
        for draw in content
    )


def _names(content: Any, path: str | Path, remedy: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(content, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in content.values()
    ):
        raise InputError(path, "draws, good_scans: expected a list of names for every class", remedy)
    return {class_name: tuple(names) for class_name, names in content.items()}


def _over_draws(draws: Sequence[Draw], summarize: Callable[[Sequence[float]], float], fewest: int) -> Classes:
    found: Classes = {}
    for class_name, modality, metric in dict.fromkeys(key for draw in draws for key in _keys(draw.classes)):
        values = [draw.classes.get(class_name, {}).get(modality, {}).get(metric) for draw in draws]
        defined = [value for value in values if value is not None]
        of_modality = found.setdefault(class_name, {}).setdefault(modality, {})
        of_modality[metric] = summarize(defined) if len(defined) >= fewest else None
    return found


def _keys(classes: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[tuple[str, str, str]]:
    return [
        (class_name, modality, metric)
        for class_name, of_class in classes.items()
        for modality, metrics in of_class.items()
        for metric in metrics
    ]
