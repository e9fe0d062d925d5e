"""Checks for label leaks: how well statistics unrelated to defects separate good from anomalous scans.

If the number of points, the size of a file or the like separates good from anomalous scans, the labels leak into the
data through the way they were made, and any detector may have learned this instead of defects.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pointad.data.sample_source import SampleSource
from pointad.errors import shown
from pointad.evaluation.results import Metrics, percent
from pointad.files.pictures import picture_size
from pointad.metrics import auroc

if TYPE_CHECKING:  # reports show findings, and need no PyTorch for that
    from pointad.evaluation.scored_sample import ScoredSample

logger = logging.getLogger(__name__)

SUSPICIOUS = 0.9  # AUROC, or one minus it, from which a statistic is reported
NO_TELLING = 0.5  # AUROC of an uninformative statistic

STATISTIC_TITLES = {
    "points": "number of points",
    "extent": "extent on the grid",
    "holes": "share of holes",
    "picture_pixels": "picture size",
    "picture_bytes": "picture file size",
    "scan_bytes": "scan file size",
}


@dataclass
class LabelLeakCheck:
    """Collects statistics of the samples one by one.

    Args:
        sources: of all samples; those of their files that exist are inspected.
        organized: whether scans have a pixel grid, so that extent and holes are meaningful.
    """

    sources: Iterable[SampleSource]
    organized: bool
    _labels: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _statistics: dict[tuple[str, str, str], dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._source_of = {_name(source): source for source in self.sources}

    def add(self, sample: "ScoredSample") -> None:
        """Add a sample; a sample that is scored under several sets of prompts counts once."""
        name = _name(sample)
        if name not in self._statistics:
            self._labels[name] = sample.label
            on_grid = grid_statistics(sample.valid, organized=self.organized)
            self._statistics[name] = on_grid | file_statistics(self._source_of[name])

    def findings(self) -> dict[str, Metrics]:
        """The AUROC of every statistic that all samples of a class have, as class -> statistic -> fraction.

        It is 0.5 for an uninformative one, and near 1 or near 0 for one that separates anomalous from good scans;
        None if a class has only good or only anomalous samples.
        """
        by_class: dict[str, list[tuple[str, str, str]]] = {}
        for name in self._statistics:
            by_class.setdefault(name[0], []).append(name)
        found: dict[str, Metrics] = {}
        for class_name, names in by_class.items():
            labels = np.array([self._labels[name] for name in names])
            found[class_name] = {
                statistic: auroc(labels, np.array([self._statistics[name][statistic] for name in names]))
                for statistic in STATISTIC_TITLES
                if all(statistic in self._statistics[name] for name in names)
            }
        return found


def grid_statistics(valid: np.ndarray, *, organized: bool) -> dict[str, float]:
    """Statistics of the positions (S, S) bool that hold a point: their number and, on a grid, their extent and holes.

    The extent is the longer side of their bounding rectangle in cells; the holes are the empty share of it.
    """
    count = int(valid.sum())
    if not organized or count == 0:
        return {"points": count}
    rows, columns = (np.flatnonzero(valid.any(axis=axis)) for axis in (1, 0))
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    return {"points": count, "extent": max(height, width), "holes": 1 - count / (height * width)}


def file_statistics(source: object) -> dict[str, float]:
    """Statistics of the existing files of a raw or rendered sample, without looking at their content."""
    picture, scan = getattr(source, "rgb_path", None), getattr(source, "scan_path", None)
    cloud = scan if scan is not None else getattr(source, "point_cloud_path", None)
    statistics: dict[str, float] = {}
    if isinstance(picture, Path) and picture.is_file():
        statistics["picture_bytes"] = picture.stat().st_size
        size = picture_size(picture)
        if size is not None:
            statistics["picture_pixels"] = size[0] * size[1]
    if isinstance(cloud, Path) and cloud.is_file():
        statistics["scan_bytes"] = cloud.stat().st_size
    return statistics


def suspicious(findings: Mapping[str, Metrics]) -> dict[str, Metrics]:
    """Statistics that separate good from anomalous scans in either direction, by class; other classes are omitted."""
    found = {
        class_name: {name: value for name, value in statistics.items() if _telling(value) >= SUSPICIOUS}
        for class_name, statistics in findings.items()
    }
    return {class_name: statistics for class_name, statistics in found.items() if statistics}


def leak_note(findings: Mapping[str, Metrics]) -> str:
    """A summary of the findings in one or two sentences; it always states which statistics were available."""
    looked_at = [name for name in STATISTIC_TITLES if any(name in statistics for statistics in findings.values())]
    missing = [title for name, title in STATISTIC_TITLES.items() if name not in looked_at]
    not_there = f" Not available: {', '.join(missing)}." if missing else ""
    leaks = suspicious(findings)
    if leaks:
        texts = "; ".join(f"{shown(name)}: {_listed(statistics)}" for name, statistics in leaks.items())
        return (
            "Labels may leak: statistics unrelated to defects separate anomalous from good scans "
            f"(AUROC in per cent; near 0 is as telling as near 100): {texts}.{not_there}"
        )
    tellings = [
        (_telling(value), class_name, name)
        for class_name, statistics in findings.items()
        for name, value in statistics.items()
        if value is not None
    ]
    if not tellings:
        return f"Label leaks cannot be assessed: no class has both good and anomalous scans.{not_there}"
    _, class_name, name = max(tellings)
    furthest = f"furthest from 50: {_title(name)} of {shown(class_name)}, {percent(findings[class_name][name])}"
    titles = ", ".join(STATISTIC_TITLES[one] for one in looked_at)
    return f"No trivial statistic separates anomalous from good scans ({titles}; {furthest}).{not_there}"


def log_findings(findings: Mapping[str, Metrics]) -> None:
    """Log a summary of the findings in one line, as a warning if labels may leak."""
    logger.log(logging.WARNING if suspicious(findings) else logging.INFO, "%s", leak_note(findings))


def _listed(statistics: Metrics) -> str:
    return ", ".join(f"{_title(name)} {percent(value)}" for name, value in statistics.items())


def _title(statistic: str) -> str:
    """What a statistic is called; one that only another version knows has its own name."""
    return STATISTIC_TITLES.get(statistic, shown(statistic))


def _telling(value: float | None) -> float:
    return NO_TELLING if value is None else max(value, 1 - value)


def _name(one: "SampleSource | ScoredSample") -> tuple[str, str, str]:
    return one.class_name, one.species, one.identifier
