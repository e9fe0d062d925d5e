"""The results of a test run: metrics per class and modality, their mean, and their provenance (`results.json`)."""

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointad.errors import InputError
from pointad.evaluation.companions import Companions
from pointad.evaluation.draws import Draw, check_draws, deviation_over_draws, draws_from_json, draws_to_json
from pointad.evaluation.modalities import MODALITY_TITLES
from pointad.evaluation.protocol import Protocol, protocol_of, supervision_text
from pointad.evaluation.run_record import RunRecord, all_views, to_json
from pointad.evaluation.run_schema import (
    check_classes,
    check_counts,
    check_fingerprints,
    check_parts,
    check_result_table,
    checked_record,
    faults_of,
)
from pointad.evaluation.same_dataset import with_known_protocol
from pointad.files.atomic import atomic_path
from pointad.files.json_files import read_json

Metrics = dict[str, float | None]  # metric name -> fraction 0 .. 1, None where undefined

METRIC_TITLES = {
    "image_auroc": "I-AUROC",
    "image_ap": "I-AP",
    "image_f1_max": "I-F1-max",
    "pixel_auroc": "P-AUROC",
    "pixel_ap": "P-AP",
    "pixel_f1_max": "P-F1-max",
    "pixel_aupro": "AUPRO",
}

UNDEFINED = "–"
_MOST_GROUPS = 10


@dataclass(frozen=True)
class Results:
    """The metrics of one test run, and their provenance."""

    classes: dict[str, dict[str, Metrics]]  # class -> "point" | "color" | "fused" -> metrics
    run: RunRecord = field(default_factory=RunRecord)
    error_bounds: dict[str, dict[str, Metrics]] = field(default_factory=dict)  # of binned pixel metrics, as classes
    label_leaks: dict[str, Metrics] = field(default_factory=dict)  # class -> trivial statistic -> AUROC of the labels
    groups: dict[str, dict[str, dict[str, Metrics]]] = field(default_factory=dict)  # group of defects -> as classes
    masks: dict[str, str] = field(default_factory=dict)  # class -> fingerprint of its ground truth; empty: unknown
    pictures: dict[str, str] = field(default_factory=dict)  # the same of its pictures and points
    scans: dict[str, dict[str, str]] = field(default_factory=dict)  # class -> view -> of all that a training knows
    good_pictures: dict[str, dict[str, str]] = field(default_factory=dict)  # class -> good scan -> as pictures
    group_error_bounds: dict[str, dict[str, dict[str, Metrics]]] = field(default_factory=dict)  # group -> error_bounds
    without_mask: dict[str, int] = field(default_factory=dict)  # class -> anomalous samples in no pixel metric
    draws: tuple[Draw, ...] = ()  # of good scans, in a few-shot test; classes are then the means over them
    files: Companions | None = None  # what was written with the figures; None: unknown, or nothing

    @property
    def modalities(self) -> list[str]:
        """The modalities that any class has: point, color, fused, in this order, then others."""
        present = {modality for of_class in self.classes.values() for modality in of_class}
        return [*(m for m in MODALITY_TITLES if m in present), *sorted(present - set(MODALITY_TITLES))]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The classes here that the prompts were learned from, that of --init_checkpoint included: in no mean."""
        return tuple(name for name in self.run.learned_classes if name in self.classes)

    @property
    def mean(self) -> dict[str, Metrics]:
        """Mean over classes per modality and metric, over the defined values; None if there are none.

        Of draws of good scans, the mean of what each has, as in the tables of reports.
        """
        if not self.draws:
            return self._mean_of(self.classes)
        means = self.means_of_draws
        return {
            modality: {
                metric: mean_of_defined(mean[modality][metric] for mean in means)
                for metric in self.metric_names(modality)
            }
            for modality in self.modalities
        }

    @property
    def means_of_draws(self) -> list[dict[str, Metrics]]:
        """The mean over classes, as `mean`, for every draw of good scans; a single one in a zero-shot test."""
        return [self._mean_of(draw.classes) for draw in self.draws] or [self._mean_of(self.classes)]

    @property
    def deviations(self) -> dict[str, dict[str, Metrics]]:
        """The standard deviation over the draws of good scans, as `classes`; empty in a zero-shot test."""
        return deviation_over_draws(self.draws)

    @property
    def mean_deviation(self) -> dict[str, Metrics]:
        """The standard deviation of the mean over classes, as `mean`; empty in a zero-shot test."""
        draws = [Draw({"mean": self._mean_of(draw.classes)}, {}) for draw in self.draws]
        return deviation_over_draws(draws).get("mean", {})

    def _mean_of(self, classes: dict[str, dict[str, Metrics]]) -> dict[str, Metrics]:
        left_out = set(self.left_out)  # of many classes, a list would be searched for each
        counted = [of_class for name, of_class in classes.items() if name not in left_out]
        return {
            modality: {
                metric: mean_of_defined(of_class.get(modality, {}).get(metric) for of_class in counted)
                for metric in self.metric_names(modality)
            }
            for modality in self.modalities
        }

    @property
    def protocol(self) -> Protocol:
        """How the figures were obtained."""
        return protocol_of(self.run, self.classes, measures_aupro=self.measures_aupro)

    @property
    def measures_aupro(self) -> bool:
        """Whether AUPRO is among the figures."""
        return any("aupro" in name for modality in self.modalities for name in self.metric_names(modality))

    def of_group(self, name: str) -> "Results":
        """The figures of one group of defects alone."""
        return Results(self.groups[name], self.run, error_bounds=self.group_error_bounds.get(name, {}))

    def metric_names(self, modality: str) -> list[str]:
        """The metrics that any class has in this modality, in order of first appearance."""
        return list(dict.fromkeys(name for of_class in self.classes.values() for name in of_class.get(modality, {})))

    def save(self, path: str | Path) -> None:
        """Write `results.json`.

        Raises:
            InputError: the file cannot be written.
        """
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """What `results.json` holds: classes and mean as fractions at full precision, null where undefined, the run."""
        content = {"classes": _without_nan(self.classes), "mean": self.mean, "run": to_json(self.run)}
        content["protocol"] = self.protocol.to_json()
        if self.draws:
            content["std"] = {"classes": self.deviations, "mean": self.mean_deviation}
            content["draws"] = draws_to_json(self.draws)
        if self.groups:
            parts = {name: self.of_group(name) for name in self.groups}
            content["groups"] = {
                name: {"classes": _without_nan(part.classes), "mean": part.mean}
                | ({"error_bounds": _without_nan(part.error_bounds)} if part.error_bounds else {})
                for name, part in parts.items()
            }
        optional = ("masks", "pictures", "scans", "good_pictures", "without_mask")
        content |= {name: getattr(self, name) for name in optional if getattr(self, name)}
        if self.error_bounds:
            content["error_bounds"] = _without_nan(self.error_bounds)
        if self.files is not None:
            content["files"] = self.files.to_json()
        if self.label_leaks:
            content["label_leaks"] = self.label_leaks
        return (json.dumps(content, indent=2, allow_nan=False, default=str) + "\n").encode()

    @classmethod
    def load(cls, path: str | Path) -> "Results":
        """Read `results.json`; the mean is recomputed.

        Raises:
            InputError: the file cannot be read or is not such a file.
        """
        remedy = "give a results.json that test.py wrote"
        content = read_json(path, remedy)
        if not isinstance(content, dict):
            raise InputError(path, "holds no table of classes", remedy)
        run = checked_record(RunRecord.from_json, content.get("run") or {}, path, remedy)
        with faults_of(path, remedy):
            return cls._checked(run, content)

    @classmethod
    def _checked(cls, run: RunRecord, content: dict[str, Any]) -> "Results":
        """The results from the content of their file.

        Raises:
            ValueError: it is invalid.
        """
        groups = content.get("groups") or {}
        if not isinstance(groups, dict):
            raise ValueError("holds no table of groups")
        if len(groups) > _MOST_GROUPS:  # each gets a table, with all that is known of the run
            raise ValueError(f"has {len(groups)} groups of defects, {_MOST_GROUPS} at most are expected")
        parts = {str(name): part if isinstance(part, dict) else {} for name, part in groups.items()}
        scans = content.get("scans") or {}
        if isinstance(scans, dict):
            together = all_views(content.get("run") or {})
            scans = {name: {together: one} if isinstance(one, str) else one for name, one in scans.items()}
        classes = check_result_table(content.get("classes"))
        results = cls(
            classes=classes,
            run=with_known_protocol(run, classes),
            error_bounds=check_classes(content.get("error_bounds") or {}),
            label_leaks=check_classes({"label_leaks": content.get("label_leaks") or {}})["label_leaks"],
            groups={name: check_result_table(part.get("classes")) for name, part in parts.items()},
            group_error_bounds={
                name: check_classes(part["error_bounds"]) for name, part in parts.items() if part.get("error_bounds")
            },
            draws=draws_from_json(content.get("draws")),
            masks=check_fingerprints(content.get("masks") or {}, "masks"),
            pictures=check_fingerprints(content.get("pictures") or {}, "pictures"),
            scans=check_parts(scans, "scans"),
            good_pictures=check_parts(content.get("good_pictures") or {}, "good_pictures"),
            without_mask=check_counts(content.get("without_mask") or {}, "without_mask"),
            files=Companions.from_json(content.get("files")),
        )
        check_draws(results.draws, results.classes, run.draws)
        return results


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """The mean of the defined values, or None if there are none."""
    defined = [value for value in values if value is not None and not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else None


def percent(value: float | None) -> str:
    """A fraction in per cent with one decimal, or a dash if it is undefined."""
    return UNDEFINED if value is None or math.isnan(value) else f"{100 * value:.1f}"


def percent_with_deviation(value: float | None, deviation: float | None) -> str:
    """The same, with its standard deviation where there is one: "82.0 ± 0.4"."""
    return percent(value) + ("" if deviation is None else f" ± {percent(deviation)}")


def percent_over(values: Sequence[float]) -> str:
    """The mean of fractions in per cent, with their sample standard deviation if there are several."""
    if not values:
        return UNDEFINED
    return percent_with_deviation(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def metric_title(name: str) -> str:
    """The heading of a metric's column."""
    limit = name.removeprefix("pixel_aupro_")
    return f"AUPRO@{limit}" if limit != name else METRIC_TITLES.get(name, name)


def describe_run(run: RunRecord) -> dict[str, str]:
    """The facts needed to judge the figures, as headings and texts; unknown facts are omitted."""
    training = run.training_class
    if training and run.training_dataset and run.training_dataset != run.dataset:
        training = f"{training} ({run.training_dataset})"
    ensemble = run.prompts == "ensemble"
    facts = {
        "Name": run.name,
        "Data set": run.dataset_title or run.dataset,
        "Backbone": backbone_title(run),
        "Checkpoint": run.checkpoint or ("none (prompt ensemble)" if ensemble else None),
        "Training class": training or ("none" if ensemble else None),
        "Protocol": run.protocol,
        "Supervision": supervision_text(run) if run.shots else None,
        "Prompts": _prompts_title(run),
        "Views": None if not run.views else f"{len(run.views)} ({', '.join(run.view_names or map(str, run.views))})",
        "Views fused by": run.view_fusion,
        "AUPRO": run.aupro,
        "Seed": run.seed,
        "Unlike training": "; ".join(run.differences or ()),
    }
    return {name: str(fact) for name, fact in facts.items() if fact not in (None, "")}


def backbone_title(run: RunRecord) -> str | None:
    """The backbone's name; the demo backbone is labelled as such."""
    name = run.backbone or run.clip_weights
    if run.is_demo:
        return f"{name or 'demo'} (DEMO backbone: a small stand-in for CLIP; not to be compared with published figures)"
    return name


def _prompts_title(run: RunRecord) -> str | None:
    if run.prompts == "ensemble":
        return "plain prompt ensemble, nothing learned"
    if run.prompts is None:
        return None
    word = "the class name" if run.object_aware else "'object'"
    return f"learned, about {word}" + (f", depth {run.depth}" if run.depth is not None else "")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
