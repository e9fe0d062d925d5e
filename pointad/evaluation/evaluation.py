"""Tests prompts on a data set: every image is encoded once, however many sets of prompts are compared."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from pointad.compute.processes import ALONE, Processes
from pointad.data.batch import MultiViewBatch
from pointad.data.dataset import MultiViewDataset
from pointad.data.loader import iterate_batches
from pointad.data.picture_presence import batches_alike
from pointad.data.sample_source import SampleSource
from pointad.datasets.base import group_of
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError
from pointad.evaluation.modalities import MODALITIES
from pointad.evaluation.results import Metrics
from pointad.evaluation.sample_fingerprint import SampleFingerprint, packed_mask, picture_digest
from pointad.metrics import (
    PUBLISHED_METRICS,
    PixelScores,
    curves,
    image_metrics,
    pixel_error_bounds,
    pixel_metrics,
)
from pointad.metrics.aupro import AuproMethod
from pointad.metrics.curves import Curve
from pointad.metrics.pixel_scores import EXACT_PIXELS
from pointad.metrics.ranking import rank
from pointad.scoring.back_projection import MEAN
from pointad.scoring.fusion import SampleScores
from pointad.scoring.inference import ViewPredictions, predict_views, score_samples
from pointad.scoring.options import DEFAULT_SIGMA

PIXEL_PREFIX = "pixel_"


@dataclass(frozen=True)
class PromptSet:
    """One set of prompts to test."""

    name: str
    text_features: Callable[[str], Tensor]  # class name -> (2, D), normal and anomalous
    left_out: frozenset[str] = frozenset()  # classes that are not tested, such as the training class


@dataclass(frozen=True)
class EvaluationSettings:
    """How samples are scored and what is measured."""

    sigma: float = DEFAULT_SIGMA
    view_fusion: str = MEAN  # how the scores of the views that see a point are combined
    fusion: str = "both"  # how the samples' scores are composed, see pointad.scoring.fusion
    metrics: tuple[str, ...] = PUBLISHED_METRICS
    aupro: AuproMethod = "exact"
    groups: tuple[str, ...] = ()  # of species, also measured separately; see `pointad.datasets.base.group_of`
    exact_pixels: int = EXACT_PIXELS  # per class; pixel metrics of more are binned, with a bounded error
    allow_empty_masks: bool = False  # anomalous samples without a marked point count for image-level metrics only
    batch_size: int | None = None  # samples that are encoded together; None: chosen to suit the device
    keep_views: bool = True  # whether scored samples keep their views, for visualization
    num_workers: int = 0
    description: str | None = "testing"  # label of the progress bar; None shows none


@dataclass(frozen=True)
class ScoredSample:
    """One sample with its scores under one set of prompts, on the CPU."""

    prompts: str  # name of the prompt set
    class_name: str
    species: str
    identifier: str
    label: int
    scores: dict[str, float]  # modality -> score
    maps: dict[str, np.ndarray]  # modality -> (S, S) float32
    mask: np.ndarray  # (S, S) bool, anomalous positions
    valid: np.ndarray  # (S, S) bool, positions that hold a point
    view_maps: np.ndarray | None  # (V, S, S) float32; None unless kept
    view_scores: np.ndarray  # (V,) float32, anomalous probability of every view
    views: np.ndarray | None  # (V, H, W, 3) uint8; None unless kept
    color: np.ndarray | None  # (H, W, 3) uint8; None unless kept and available
    regions: np.ndarray | None = None  # (S, S) int32, numbers of the anomalous regions of a point cloud without a grid
    content: bytes = b""  # tells what was scored, see `picture_digest`


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


def evaluate(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    prompt_sets: Sequence[PromptSet],
    settings: EvaluationSettings,
    on_sample: Callable[[ScoredSample], None] | None = None,
    processes: Processes = ALONE,
) -> Iterator[ClassOutcome]:
    """Score every sample under every set of prompts, and measure each class after its last sample.

    Memory does not grow with the number of classes nor, beyond a bound, with the number of samples
    (``pointad.metrics.PixelScores``). Each of several processes loads, encodes and scores a share of the samples; the
    first process gathers the scores in the order of the data set, so its results equal those of a single process.

    Args:
        encoder: the frozen CLIP's image encoder.
        dataset: samples with images.
        prompt_sets: the sets to compare.
        settings: how samples are scored and what is measured.
        on_sample: called with every sample under every set of prompts, in the order of the data set.
        processes: the processes that share the samples; ``on_sample`` is called only in the first one.

    Yields:
        One outcome per class and set of prompts, in the first process.

    Raises:
        InputError: the data set is empty, or a sample cannot be read.
    """
    tested = [s for s in dataset.sources if any(s.class_name not in p.left_out for p in prompt_sets)]
    if not tested:
        raise InputError("test data", "contain no class other than the training class", "choose another data set")
    remaining = Counter(source.class_name for source in tested)
    collectors: dict[tuple[str, str], _ClassCollector] = {}
    for scored_together in _scored_in_rounds(encoder, dataset, tested, prompt_sets, settings, processes):
        for scored in scored_together:
            class_name = scored[0].class_name
            for sample in scored:
                key = (class_name, sample.prompts)
                if key not in collectors:
                    collectors[key] = _ClassCollector(settings, settings.groups)
                collectors[key].add(sample)
                if on_sample is not None:
                    on_sample(sample)
            remaining[class_name] -= 1
            if not remaining[class_name]:
                for prompts in prompt_sets:
                    collector = collectors.pop((class_name, prompts.name), None)
                    if collector is not None:
                        yield collector.outcome(prompts.name, class_name)


def _scored_in_rounds(
    encoder: PictureEncoder,
    dataset: MultiViewDataset,
    tested: Sequence[SampleSource],
    prompt_sets: Sequence[PromptSet],
    settings: EvaluationSettings,
    processes: Processes,
) -> Iterator[list[list[ScoredSample]]]:
    """In each round every process scores a batch; the first process gets all of them, a list per sample, in order."""
    options = dataset.options
    pictures = len(options.view_indices) + options.with_color
    together = settings.batch_size or encoder.samples_at_once(pictures, options.image_size)
    encoder.expect(len(tested), pictures, options.image_size)
    groups = batches_alike(tested, together)
    own = processes.share(groups)
    batches = iterate_batches(
        MultiViewDataset([source for group in own for source in group], dataset.load, options),
        batch_size=together,
        batch_sizes=[len(group) for group in own],
        num_workers=settings.num_workers,
        pin_memory=encoder.device.type == "cuda",
        description=settings.description if processes.is_first else None,
    )
    for _ in range(0, len(groups), processes.count):
        batch = next(batches, None)
        scored = [] if batch is None else _score_batch(encoder, batch, prompt_sets, settings)
        yield [sample for part in processes.gather(scored) for sample in part]


def _score_batch(
    encoder: PictureEncoder, batch: MultiViewBatch, prompt_sets: Sequence[PromptSet], settings: EvaluationSettings
) -> list[list[ScoredSample]]:
    """For every sample of a batch, its scores under the sets of prompts that are tested on its class."""
    features = encoder.encode(batch)
    assert batch.views is not None  # the encoder refuses batches without it
    colors = [None] * len(batch.views) if batch.color is None else batch.color
    contents = list(map(picture_digest, batch.views, colors, batch.non_zero))
    # Needed on the device by every set of prompts; the rest of the batch is not moved.
    batch = replace(
        batch,
        correspondences=batch.correspondences.to(encoder.device, non_blocking=True),
        non_zero=batch.non_zero.to(encoder.device, non_blocking=True),
    )
    return [
        [
            replace(score_one(batch, features, index, prompts, settings), content=contents[index])
            for prompts in prompt_sets
            if class_name not in prompts.left_out
        ]
        for index, class_name in enumerate(batch.class_name)
    ]


@torch.no_grad()
def score_one(
    batch: MultiViewBatch, features: SampleFeatures, index: int, prompts: PromptSet, settings: EvaluationSettings
) -> ScoredSample:
    """Score one sample of a batch; the result does not depend on the other samples in the batch.

    Args:
        batch: from the loader.
        features: of the whole batch, on the backbone's device.
        index: of the sample in the batch.
        prompts: the prompts to score it with.
        settings: how samples are scored.
    """
    device = features.views_global.device
    own = features.sample(index)
    text_features = prompts.text_features(batch.class_name[index])
    side = round(batch.mask.shape[-1] ** 0.5)
    views = predict_views(own, text_features, side)
    correspondences = batch.correspondences[index : index + 1].to(device)
    non_zero = batch.non_zero[index : index + 1].to(device)
    fused = score_samples(
        own,
        views,
        text_features,
        correspondences,
        non_zero,
        sigma=settings.sigma,
        fusion=settings.fusion,
        view_fusion=settings.view_fusion,
        subject=f"{batch.class_name[index]}/{batch.species[index]}/{batch.identifier[index]}, prompts {prompts.name}",
    )
    return _scored_sample(prompts.name, batch, index, views, fused, keep_views=settings.keep_views)


@dataclass
class _ClassCollector:
    """Scores of one class under one set of prompts, sample by sample."""

    settings: EvaluationSettings
    groups: tuple[str, ...] = ()
    labels: list[int] = field(default_factory=list)
    scores: dict[str, list[float]] = field(default_factory=dict)
    pixels: dict[str, PixelScores] = field(default_factory=dict)
    masks: SampleFingerprint = field(default_factory=SampleFingerprint)
    pictures: SampleFingerprint = field(default_factory=SampleFingerprint)

    def __post_init__(self) -> None:
        self.parts = {name: _ClassCollector(self.settings) for name in self.groups}

    def add(self, sample: ScoredSample) -> None:
        own = group_of(sample.species, self.groups)
        for name, part in self.parts.items():
            if not sample.label or name == own:
                part.add(sample)
        self.labels.append(sample.label)
        self.masks.add(sample.species, sample.identifier, packed_mask(sample.mask))
        self.pictures.add(sample.species, sample.identifier, sample.content)
        located = not (self.settings.allow_empty_masks and sample.label and not sample.mask.any())
        for modality, score in sample.scores.items():
            self.scores.setdefault(modality, []).append(score)
            if self._names(PIXEL_PREFIX):
                pixels = self.pixels.setdefault(modality, PixelScores(self.settings.exact_pixels))
                if located:
                    pixels.add(sample.maps[modality], sample.mask, sample.regions)

    def outcome(self, prompts: str, class_name: str) -> ClassOutcome:
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
        return ClassOutcome(prompts, class_name, metrics, drawn, error_bounds, groups, masks, bounds, pictures)

    def _names(self, prefix: str) -> list[str]:
        return [name for name in self.settings.metrics if name.startswith(prefix)]


def _scored_sample(
    prompts: str,
    batch: MultiViewBatch,
    index: int,
    views: ViewPredictions,
    fused: SampleScores,
    *,
    keep_views: bool,
) -> ScoredSample:
    assert batch.views is not None  # the encoder refuses batches without it
    maps = {modality: getattr(fused, f"{modality}_map") for modality in MODALITIES}
    scores = {modality: getattr(fused, f"{modality}_score") for modality in MODALITIES}
    side = fused.point_map.shape[-1]
    return ScoredSample(
        prompts=prompts,
        class_name=batch.class_name[index],
        species=batch.species[index],
        identifier=batch.identifier[index],
        label=int(batch.label[index]),
        scores={modality: float(score[0]) for modality, score in scores.items() if score is not None},
        maps={modality: one[0].cpu().numpy() for modality, one in maps.items() if one is not None},
        mask=batch.mask[index].view(side, side).cpu().numpy().copy(),  # frees the memory of the loader processes
        valid=batch.non_zero[index].view(side, side).cpu().numpy().copy(),
        view_maps=views.maps[0].cpu().numpy() if keep_views else None,
        view_scores=views.logits[0].softmax(dim=-1)[:, 1].cpu().numpy(),
        views=batch.views[index].cpu().numpy() if keep_views else None,
        color=batch.color[index].cpu().numpy() if keep_views and batch.color is not None else None,
        regions=None if batch.regions is None else batch.regions[index].view(side, side).cpu().numpy().copy(),
    )
