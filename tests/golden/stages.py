"""Runs the whole method on the seeded samples, keeping what every stage makes, for comparison with the goldens."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from golden.dataset_inputs import golden_samples
from golden.samples import GoldenTensors, read_golden_sample
from golden.view_inputs import SIZE, VIEWS
from torch import Tensor

from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.model.vision import ImageFeatures
from pointad.scoring.back_projection import back_project
from pointad.scoring.fusion import fuse
from pointad.scoring.similarity import anomaly_maps, global_logits, global_probabilities, local_probability_grid
from pointad.training.losses import LossInputs, training_losses

LAYERS = (6, 24)


@torch.no_grad()
def run_stages(backbone: ClipBackbone, learner: PromptLearner, data: Path) -> dict[str, np.ndarray]:
    """All stages on all samples, under the names of ``samples.npz``; axis 0 is the sample."""
    text_features = learner(backbone.text)
    stages = defaultdict(list)
    for golden in golden_samples():
        sample = read_golden_sample(data, golden.name)
        for name, values in _sample_stages(backbone, text_features, sample).items():
            stages[name].append(values.numpy())
    return {name: np.stack(values) for name, values in stages.items()}


def _sample_stages(backbone: ClipBackbone, text_features: Tensor, sample: GoldenTensors) -> dict[str, Tensor]:
    features = backbone.encode_images(sample.pictures, LAYERS)
    first, last = features.patch_features.unbind(dim=1)  # (10, 576, D) each
    maps = anomaly_maps(last[:, None], text_features, SIZE)  # (10, S, S)
    views = len(VIEWS)
    point_values = back_project(maps[None, :views], sample.correspondences[None], sample.non_zero[None])
    point_values = point_values.view(1, SIZE, SIZE)
    probability = global_probabilities(features.global_features, text_features)[:, 1]
    scores = fuse(point_values, probability[:views].mean()[None], maps[views:], probability[views:])
    assert scores.color_map is not None and scores.fused_map is not None
    assert scores.color_score is not None and scores.fused_score is not None
    return {
        "image_features_raw": features.global_features,
        # The goldens count the class token; their token 64 is our patch 63.
        "patch_features_l6_every64": first[:, 63::64],
        "patch_features_l24_every64": last[:, 63::64],
        "similarity_patches_anomalous": local_probability_grid(last, text_features)[:, 1].flatten(1),
        "similarity_map_views_s8": maps[:views, ::8, ::8],
        "similarity_map_color_s8": maps[views, ::8, ::8],
        "d2_render_anomaly": sample.view_masks.flatten(1).amax(1),
        "gt_mask_bits": sample.mask.bool(),
        "non_zero_bits": sample.non_zero,
        "visibility_filled_bits": sample.correspondences[..., 2].bool(),
        "d3_similarity_map_s4": point_values[0, ::4, ::4],
        "point_map_s4": scores.point_map[0, ::4, ::4],
        "color_map_s4": scores.color_map[0, ::4, ::4],
        "fused_map_s4": scores.fused_map[0, ::4, ::4],
        "score_point": scores.point_score[0],
        "score_color": scores.color_score[0],
        "score_fused": scores.fused_score[0],
    }


@dataclass(frozen=True)
class Batch:
    """Samples with their frozen features, ready for the loss; B samples."""

    features: list[ImageFeatures]
    samples: list[GoldenTensors]
    labels: list[int]

    def part(self, index: int) -> "Batch":
        """One sample alone."""
        return Batch([self.features[index]], [self.samples[index]], [self.labels[index]])


@torch.no_grad()
def golden_batch(backbone: ClipBackbone, data: Path, names: Sequence[str]) -> Batch:
    """The named samples as a batch; those of the species ``good`` are normal."""
    samples = [read_golden_sample(data, name) for name in names]
    features = [backbone.encode_images(sample.pictures[: len(VIEWS)]) for sample in samples]
    return Batch(features, samples, ["/good/" not in name for name in names])


def batch_losses(batch: Batch, text_features: Tensor) -> dict[str, Tensor]:
    """The loss of a batch for these texts."""
    maps = anomaly_maps(torch.stack([each.patch_features for each in batch.features]), text_features, SIZE)
    non_zero = torch.stack([each.non_zero for each in batch.samples])
    correspondences = torch.stack([each.correspondences for each in batch.samples])
    inputs = LossInputs(
        view_logits=global_logits(torch.stack([each.global_features for each in batch.features]), text_features),
        view_maps=maps,
        point_maps=back_project(maps, correspondences, non_zero),
        non_zero=non_zero,
        labels=torch.tensor(batch.labels),
        masks=torch.stack([each.mask for each in batch.samples]),
        view_masks=torch.stack([each.view_masks for each in batch.samples]),
    )
    return training_losses(inputs)
