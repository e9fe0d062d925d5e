"""Measures one class: its samples' scores are collected one by one, and become metrics and curves."""

from dataclasses import dataclass, field

from pointad.data.sample_identity import SampleFingerprint, ScanFingerprints, evaluated_mask
from pointad.datasets.base import group_of
from pointad.evaluation.class_scores import ClassScores
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.evaluation.results import Metrics
from pointad.evaluation.scored_sample import ScoredSample
from pointad.metrics.curves import Curve


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


class ClassCollector:
    """Scores of one class under one set of prompts, sample by sample.

    Args:
        settings: what is measured.
        groups: of species that are measured separately as well.
    """

    def __init__(self, settings: EvaluationSettings, groups: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._groups = {name: ClassCollector(settings) for name in groups}
        self._measured = ClassScores(settings)
        self._masks, self._pictures, self._scans = SampleFingerprint(), SampleFingerprint(), ScanFingerprints()

    def add(self, sample: ScoredSample) -> None:
        """Take one sample in."""
        own = group_of(sample.species, self._groups)
        for name, group in self._groups.items():
            if not sample.label or name == own:
                group.add(sample)
        self._measured.add(sample.label, sample.mask, sample.regions, sample.scores, sample.maps)
        who = (sample.species, sample.identifier)
        self._masks.add(*who, evaluated_mask(sample.mask, sample.regions))
        self._pictures.add(*who, sample.content)
        self._scans.add(*who, sample.label, sample.mask, sample.sights)

    def outcome(self, prompts: str, class_name: str) -> ClassOutcome:
        """The metrics of all samples that were taken in; ``prompts`` and ``class_name`` are its titles."""
        groups = {name: group.outcome(prompts, class_name) for name, group in self._groups.items()}
        found = self._measured.metrics()
        return ClassOutcome(
            prompts=prompts,
            class_name=class_name,
            metrics={modality: {name: of[name] for name in self._settings.metrics} for modality, of in found.items()},
            curves=self._measured.curves(),
            error_bounds=self._measured.error_bounds(),
            groups={name: group.metrics for name, group in groups.items()},
            masks=self._masks.text,
            group_error_bounds={name: group.error_bounds for name, group in groups.items() if group.error_bounds},
            pictures=self._pictures.text,
            without_mask=self._measured.without_mask,
            scans=self._scans.texts,
        )
