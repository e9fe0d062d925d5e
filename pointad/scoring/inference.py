"""From features and prompts to predictions: probabilities and maps of the views, then maps and scores of the samples.

Notation: B samples, V views, maps and point grids of S x S, P = S * S, D dimensions of the joint embedding space.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pointad.encoding.features import SampleFeatures
from pointad.scoring.back_projection import MEAN, back_project
from pointad.scoring.finiteness import check_scores
from pointad.scoring.fusion import SampleScores, fuse
from pointad.scoring.options import DEFAULT_SIGMA
from pointad.scoring.similarity import ANOMALOUS, anomaly_maps, global_logits, global_probabilities


@dataclass(frozen=True)
class ViewPredictions:
    """Predictions for each view of B samples, before fusion."""

    logits: Tensor  # (B, V, 2), normal and anomalous
    maps: Tensor  # (B, V, S, S), anomalous probability of every pixel

    @property
    def probabilities(self) -> Tensor:
        """The anomalous probability of every view, (B, V)."""
        return self.logits.softmax(dim=-1)[..., ANOMALOUS]


def predict_views(features: SampleFeatures, text_features: Tensor, size: int) -> ViewPredictions:
    """Compare the views with the normal and the anomalous prompt (PointAD, section 3.3).

    Args:
        features: of the samples' pictures.
        text_features: (2, D), normal and anomalous.
        size: S, the side of the maps.
    """
    return ViewPredictions(
        logits=global_logits(features.views_global, text_features),
        maps=anomaly_maps(features.views_patches, text_features, size),
    )


def score_samples(
    features: SampleFeatures,
    views: ViewPredictions,
    text_features: Tensor,
    correspondences: Tensor,
    non_zero: Tensor,
    *,
    sigma: float = DEFAULT_SIGMA,
    fusion: str = "both",
    view_fusion: str = MEAN,
    subject: str = "scan",
) -> SampleScores:
    """Fuse the views into point maps and, with the RGB picture where there is one, into scores (section 3.4).

    Args:
        features: of the samples' pictures; with colour features the colour and fused fields are set.
        views: result of :func:`predict_views` for the same samples.
        text_features: (2, D), normal and anomalous.
        correspondences: (B, V, P, 3) integer, never-seen points filled.
        non_zero: (B, P) bool, False for holes.
        sigma: width of the smoothing in grid points.
        fusion: the components of the scores, see :func:`pointad.scoring.fusion.fuse`.
        view_fusion: how the views that see a point are fused, see ``back_project``.
        subject: how errors refer to the samples.

    Raises:
        InputError: a score is not finite.
    """
    size = math.isqrt(non_zero.shape[-1])
    values = back_project(views.maps, correspondences, non_zero, view_fusion)  # (B, P)
    probability = views.probabilities.mean(dim=-1)  # (B,)
    color_values = color_probability = None
    if features.color_global is not None and features.color_patches is not None:
        color_values = anomaly_maps(features.color_patches, text_features, size)
        color_probability = global_probabilities(features.color_global, text_features)[..., ANOMALOUS]
    fused = fuse(
        values.unflatten(-1, (size, size)), probability, color_values, color_probability, sigma=sigma, fusion=fusion
    )
    scores = [each for each in (fused.point_score, fused.color_score, fused.fused_score) if each is not None]
    check_scores(torch.cat(scores).tolist(), subject)
    return fused
