"""Scores single samples under a set of prompts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.data.batch import MultiViewBatch
from pointad.encoding.features import SampleFeatures
from pointad.evaluation.evaluation_settings import EvaluationSettings
from pointad.scoring.fusion import SampleScores
from pointad.scoring.inference import ViewPredictions, predict_views, score_samples


@dataclass(frozen=True)
class PromptSet:
    """One set of prompts to test."""

    name: str
    text_features: Callable[[str], Tensor]  # class name -> (2, D), normal and anomalous
    left_out: frozenset[str] = frozenset()  # classes that are not tested, such as the training class


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
    renderings: str = ""  # tells its views alone, see `views_digest`
    looks: str = ""  # tells each of its views, see `looks_of`
    sights: tuple[str, ...] = ()  # tells each of its views and where its points are in it, see `looks_and_sights`
    picture: str = ""  # tells its RGB picture likewise; empty: it has none


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
        subject=f"{batch.name_of(index)}, prompts {prompts.name}",
    )
    return _scored_sample(prompts.name, batch, index, views, fused, keep_views=settings.keep_views)


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
    scores, maps = fused.of_sample()
    side = fused.point_map.shape[-1]
    return ScoredSample(
        prompts=prompts,
        class_name=batch.class_name[index],
        species=batch.species[index],
        identifier=batch.identifier[index],
        label=int(batch.label[index]),
        scores=scores,
        maps=maps,
        mask=batch.mask[index].view(side, side).cpu().numpy().copy(),  # frees the memory of the loader processes
        valid=batch.non_zero[index].view(side, side).cpu().numpy().copy(),
        view_maps=views.maps[0].cpu().numpy() if keep_views else None,
        view_scores=views.probabilities[0].cpu().numpy(),
        views=batch.views[index].cpu().numpy() if keep_views else None,
        color=batch.color[index].cpu().numpy() if keep_views and batch.color is not None else None,
        regions=None if batch.regions is None else batch.regions[index].view(side, side).cpu().numpy().copy(),
    )
