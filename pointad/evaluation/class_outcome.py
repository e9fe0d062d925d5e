"""Measures one class: its samples' scores are collected one by one, and become metrics and curves."""

from dataclasses import dataclass, field

import numpy as np

from pointad.data.sample_identity import SampleFingerprint, ScanFingerprints, evaluated_mask
from pointad.datasets.base import group_of
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.results import Metrics
from pointad.evaluation.scored_sample import ScoredSample
from pointad.metrics import PixelScores, curves, image_metrics, pixel_error_bounds, pixel_metrics
from pointad.metrics.curves import Curve
from pointad.metrics.ranking import rank

PIXEL_PREFIX = "pixel_"


@dataclass(frozen=True)
class ClassOutcome:
    """The metrics of one set of prompts on one class."""

    prompts: str
    class_name: str
    metrics: dict[str, Metrics]  # modality -> metric -> fraction, None where undefined
    curves: dict[str, dict[str, dict[str, Curve]]]  # modality -> "image" or "pixel" -> "roc", "pro"
    error_bounds: dict[str, Metrics] = field(default_factory=dict)  # of binned pixel metrics; None: unknown
    groups: dict[str, dict[str, Metrics]] = field(default_factory=dict)  # group of species -> as metrics
    masks: str = ""  # fingerprint of the ground truth; empty: unknown
    group_error_bounds: dict[str, dict[str, Metrics]] = field(default_factory=dict)  # group -> as error_bounds
    pictures: str = ""  # fingerprint of the pictures and points; empty: unknown
    without_mask: int = 0  # anomalous samples that are in no pixel metric, since their masks mark nothing
    scans: tuple[str, ...] = ()  # fingerprint of the samples as a training knows them, of each view; empty: unknown


@dataclass
class ClassCollector:
    """Scores of one class under one set of prompts, sample by sample."""

    settings: EvaluationSettings
    groups: tuple[str, ...] = ()
    labels: list[int] = field(default_factory=list)
    scores: dict[str, list[float]] = field(default_factory=dict)
    pixels: dict[str, PixelScores] = field(default_factory=dict)
    masks: SampleFingerprint = field(default_factory=SampleFingerprint)
    pictures: SampleFingerprint = field(default_factory=SampleFingerprint)
    scans: ScanFingerprints = field(default_factory=ScanFingerprints)
    without_mask: int = 0

    def __post_init__(self) -> None:
        self.parts = {name: ClassCollector(self.settings) for name in self.groups}

    def add(self, sample: ScoredSample) -> None:
        """Take one sample in; its maps are kept in compressed form only, see ``PixelScores``."""
        own = group_of(sample.species, self.groups)
        for name, part in self.parts.items():
            if not sample.label or name == own:
                part.add(sample)
        self.labels.append(sample.label)
        self.masks.add(sample.species, sample.identifier, evaluated_mask(sample.mask, sample.regions))
        self.pictures.add(sample.species, sample.identifier, sample.content)
        self.scans.add(sample.species, sample.identifier, sample.label, sample.mask, sample.sights)
        located = not (self.settings.allow_empty_masks and sample.label and not sample.mask.any())
        self.without_mask += not located
        for modality, score in sample.scores.items():
            self.scores.setdefault(modality, []).append(score)
            if self._names(PIXEL_PREFIX):
                pixels = self.pixels.setdefault(modality, PixelScores(self.settings.exact_pixels))
                if located:
                    pixels.add(sample.maps[modality], sample.mask, sample.regions)

    def outcome(self, prompts: str, class_name: str) -> ClassOutcome:
        """The metrics of all samples that were taken in; ``prompts`` and ``class_name`` are its titles."""
        labels = np.array(self.labels)
        metrics: dict[str, Metrics] = {}
        drawn: dict[str, dict[str, dict[str, Curve]]] = {}
        error_bounds: dict[str, Metrics] = {}
        for modality, values in self.scores.items():
            scores = np.array(values)
            found = image_metrics(labels, scores, self._names("image_"))
            drawn[modality] = {"image": curves(rank(labels, scores))}
            if modality in self.pixels:
                found |= pixel_metrics(self.pixels[modality], self._names(PIXEL_PREFIX), self.settings.aupro)
                drawn[modality]["pixel"] = curves(self.pixels[modality].ranking())
                if self.pixels[modality].is_binned:
                    error_bounds[modality] = pixel_error_bounds(
                        self.pixels[modality], self._names(PIXEL_PREFIX), self.settings.aupro
                    )
            metrics[modality] = {name: found[name] for name in self.settings.metrics}
        parts = {name: part.outcome(prompts, class_name) for name, part in self.parts.items()}
        groups = {name: part.metrics for name, part in parts.items()}
        bounds = {name: part.error_bounds for name, part in parts.items() if part.error_bounds}
        masks, pictures = self.masks.text, self.pictures.text
        return ClassOutcome(
            prompts,
            class_name,
            metrics,
            drawn,
            error_bounds,
            groups,
            masks,
            bounds,
            pictures,
            self.without_mask if self._names(PIXEL_PREFIX) else 0,
            self.scans.texts,
        )

    def _names(self, prefix: str) -> list[str]:
        return [name for name in self.settings.metrics if name.startswith(prefix)]
