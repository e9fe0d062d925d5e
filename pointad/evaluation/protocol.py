"""The protocol behind figures: training data, excluded classes, and how the metrics were computed."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pointad.datasets.registry import DATASETS
from pointad.errors import counted
from pointad.evaluation.run_record import RunRecord, trainings_before
from pointad.evaluation.same_dataset import ONE_VS_REST, is_published
from pointad.metrics.aupro import DEFAULT_LIMIT

UNKNOWN = "unknown"
SPLIT = "test"  # of the training data set: the only split with anomalous samples


@dataclass(frozen=True)
class Protocol:
    """Everything that must be known to compare two figures."""

    name: str  # "one-vs-rest", "cross-dataset", "nothing learned" or "unknown"
    supervision: str  # of the tested classes: "zero-shot", "4-shot" (good references) or "transductive"
    learned_from: str  # class, data set and split, or "nothing"
    left_out: tuple[str, ...]  # classes of the tested data set that are in no figure
    aupro: str  # regions, false-positive-rate limit and procedure
    sigma: float | None  # of the smoothing, in positions
    fusion: str | None  # how a sample's score is composed
    seed: int | None  # of the training
    classes: tuple[str, ...]  # that were tested and are in the figures

    def to_json(self) -> dict[str, Any]:
        """As stored in `results.json`."""
        return dataclasses.asdict(self)

    @property
    def text(self) -> str:
        """One line to print above a table."""
        parts = [
            f"{self.name}, {self.supervision}",
            f"learned from {self.learned_from}",
            f"left out: {', '.join(self.left_out) or 'none'}",
            f"AUPRO {self.aupro}",
            f"σ {UNKNOWN if self.sigma is None else f'{self.sigma:g}'}",
            f"fusion {self.fusion or UNKNOWN}",
            f"seed {UNKNOWN if self.seed is None else self.seed}",
            f"{counted(len(self.classes), 'class')}: {', '.join(self.classes)}",
        ]
        return "; ".join(parts)


def protocol_of(run: RunRecord, classes: Iterable[str], *, measures_aupro: bool = True) -> Protocol:
    """The protocol of a test run.

    Args:
        run: the record of the run.
        classes: the classes that it has figures for.
        measures_aupro: whether AUPRO is among the figures.
    """
    own = run.learned_classes
    classes = tuple(classes)
    learned, present = set(own), set(classes)
    is_ensemble = run.prompts == "ensemble"
    return Protocol(
        name="nothing learned" if is_ensemble else run.protocol or UNKNOWN,
        supervision=_supervision(run),
        learned_from="nothing" if is_ensemble else _learned_from(run),
        # No class of another data set is left out, whatever its format, nor one that may be of another.
        left_out=tuple(name for name in own if run.protocol == ONE_VS_REST or name in present),
        aupro=aupro_definition(run) if measures_aupro else "not measured",
        sigma=run.sigma,
        fusion=run.fusion,
        seed=run.seed,
        classes=tuple(name for name in classes if name not in learned),
    )


def aupro_definition(run: RunRecord) -> str:
    """The regions, false-positive-rate limit and procedure of AUPRO."""
    if run.region_neighbours is None:
        regions = "over regions of 8-connected positions of the mask"
    else:
        regions = f"over regions of the graph of each point's {run.region_neighbours} nearest points"
    procedures = {"exact": "every threshold", "published": "200 thresholds, rates re-scaled"}
    procedure = procedures.get(run.aupro or "", "procedure unknown")
    return f"{regions}, false-positive rate to {DEFAULT_LIMIT:g}, {procedure}"


def _supervision(run: RunRecord) -> str:
    """The supervision: what is known of the tested classes from other samples."""
    if run.others.get("transductive"):
        return "transductive"
    return supervision_of(run.shots)


def supervision_of(shots: int | None) -> str:
    """What to call a test with so many good scans of every class: "zero-shot", "1-shot" and so on."""
    return f"{shots}-shot" if shots else "zero-shot"


def supervision_text(run: RunRecord) -> str:
    """How many good scans of every tested class the figures rest on, and where they come from."""
    name = supervision_of(run.shots)
    if not run.shots:
        return name
    parts = [f"drawn from the {run.good_from} split" if run.good_from else None]
    if run.draws:
        seed = "" if run.draw_seed is None else f" with seed {run.draw_seed}"
        parts.append(f"mean over {counted(run.draws, 'draw')}{seed}")
    told = "; ".join(part for part in parts if part)
    return f"{name}: {counted(run.shots, 'good scan')} of each class" + (f"; {told}" if told else "")


def _learned_from(run: RunRecord) -> str:
    if not run.training_class:
        return UNKNOWN
    before = () if run.training is None else trainings_before(run.training)
    after = f", after {', '.join(each or UNKNOWN for each in before)}" if before else ""
    return f"{run.training_class} of {training_data(run)}, split {SPLIT}{after}"


def training_data(run: RunRecord) -> str:
    """What the prompts learned from: the name of a published data set, else the title of the data or their format."""
    name = run.training_dataset or (run.dataset if run.protocol == ONE_VS_REST else None)
    if not name or name not in DATASETS:
        return name or UNKNOWN
    title = None if run.training is None else run.training.dataset_title
    if is_published(DATASETS[name], {run.training_class or ""}, title):
        return name
    return title or f"data in the format {name}"
