"""The terms of the training loss: global and local, on the points and on the views (section 3.3).

This is the definition of the loss. Each term is a function of :class:`LossInputs`, a mean over samples or views, so the
loss of a batch is the mean of the losses of its samples. To add a term, write its function here, add it to
:data:`TERMS`, and give it a title and a weight in :mod:`pointad.training.terms`.

As long as the published terms are unchanged, training computes the same numbers faster from patch grids
(:mod:`pointad.training.grid_losses`). :mod:`pointad.training.loss_paths` compares both before every training and uses
this module if they differ.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.scoring.similarity import sample_logits

DICE_SMOOTHING = 1.0
FOCAL_SMOOTHING = 1e-5
FOCAL_EXPONENT = 2


@dataclass(frozen=True)
class LossInputs:
    """Predictions and targets for B samples with V views and P points."""

    view_logits: Tensor  # (B, V, 2), normal and anomalous (``global_logits``)
    view_maps: Tensor  # (B, V, H, W), anomalous probability of the pixels
    point_maps: Tensor  # (B, P), anomalous probability of the points (``back_project`` of the maps); 0 for holes
    non_zero: Tensor  # (B, P) bool, False for holes, whose normal and anomalous value is 0
    labels: Tensor  # (B,), 1 for anomalous samples
    masks: Tensor  # (B, P), 1 for anomalous points
    view_masks: Tensor  # (B, V, H, W), 1 for anomalous pixels of the rendered ground truth


def d2_pixel_loss(inputs: LossInputs) -> Tensor:
    """Local, views: focal and Dice loss between the maps and the rendered ground truth."""
    return pixel_loss(inputs.view_maps, inputs.view_masks)


def d3_point_loss(inputs: LossInputs) -> Tensor:
    """Local, points: Dice loss between the back-projected maps and the mask, anomalous and normal."""
    masks = inputs.masks.to(inputs.point_maps.dtype)
    normal = torch.where(inputs.non_zero, 1 - inputs.point_maps, 0)
    return dice_loss(inputs.point_maps, masks).mean() + dice_loss(normal, 1 - masks).mean()


def d3_global_loss(inputs: LossInputs) -> Tensor:
    """Global, points: cross-entropy of the sample's mean logits."""
    return F.cross_entropy(sample_logits(inputs.view_logits), inputs.labels.long())


def d2_image_loss(inputs: LossInputs) -> Tensor:
    """Global, views: cross-entropy of every view's logits against "does the view show any anomalous pixel"."""
    view_labels = inputs.view_masks.flatten(2).amax(dim=-1) > 0  # (B, V)
    return F.cross_entropy(inputs.view_logits.flatten(0, 1), view_labels.flatten().long())


TERMS: dict[str, Callable[[LossInputs], Tensor]] = {
    "d2_pixel_loss": d2_pixel_loss,
    "d3_point_loss": d3_point_loss,
    "d3_global_loss": d3_global_loss,
    "d2_image_loss": d2_image_loss,
}
"""Every term by its name in :data:`pointad.training.terms.LOSSES`."""


def training_losses(inputs: LossInputs, terms: Collection[str] = tuple(TERMS)) -> dict[str, Tensor]:
    """The chosen terms of a batch, scalars, unweighted; the others are not computed."""
    return {name: TERMS[name](inputs) for name in terms}


def pixel_loss(maps: Tensor, masks: Tensor) -> Tensor:
    """Focal and Dice loss of the maps of views (…, H, W) against their masks (…, H, W): a scalar."""
    masks = masks.to(maps.dtype)
    anomalous, target = maps.flatten(-2), masks.flatten(-2)  # (…, H · W): one item per view
    dice = dice_loss(anomalous, target).mean() + dice_loss(1 - anomalous, 1 - target).mean()
    return focal_loss(maps, masks).mean() + dice


def dice_loss(values: Tensor, target: Tensor) -> Tensor:
    """Dice loss of every item: values (…, N) and target (…, N) in 0 … 1 to (…), smoothing 1."""
    overlap = (values * target).sum(dim=-1)
    size = values.sum(dim=-1) + target.sum(dim=-1)
    return 1 - (2 * overlap + DICE_SMOOTHING) / (size + DICE_SMOOTHING)


def focal_loss(anomalous: Tensor, target: Tensor) -> Tensor:
    """Focal loss of every pixel over the probabilities of the two classes.

    Args:
        anomalous: (…) anomalous probability; the normal one is 1 minus this.
        target: (…) 1 for anomalous pixels, 0 for the others.

    Returns:
        (…): ``−(1 − p)² log p`` with p the probability of the true class. The one-hot target is clamped to
        [1e-5, 1 − 1e-5] and 1e-5 is added to p, so that it stays above zero.
    """
    of_anomalous = target.clamp(FOCAL_SMOOTHING, 1 - FOCAL_SMOOTHING)
    of_normal = (1 - target).clamp(FOCAL_SMOOTHING, 1 - FOCAL_SMOOTHING)
    probability = of_anomalous * anomalous + of_normal * (1 - anomalous) + FOCAL_SMOOTHING
    return -((1 - probability) ** FOCAL_EXPONENT) * probability.log()
