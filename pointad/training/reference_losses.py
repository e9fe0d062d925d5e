"""The four terms that the prompts learn from: global and local, on the points and on the views (section 3.3).

Every term is a mean over samples or views, so the loss of a batch is the mean of what its samples give one by one.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.errors import InputError
from pointad.scoring.similarity import sample_logits

DICE_SMOOTHING = 1.0
FOCAL_SMOOTHING = 1e-5
FOCAL_EXPONENT = 2


@dataclass(frozen=True)
class TrainingLosses:
    """The terms of the loss, scalars; a term that is switched off is zero."""

    d2_pixel_loss: Tensor  # local, views: focal and Dice between maps and drawn ground truth
    d3_point_loss: Tensor  # local, points: Dice between back-projected maps and mask
    d3_global_loss: Tensor  # global, points: cross-entropy of the sample's mean logits
    d2_image_loss: Tensor  # global, views: cross-entropy of every view's logits

    @property
    def total(self) -> Tensor:
        """The sum that is minimized; every term has weight 1."""
        return self.d2_pixel_loss + self.d3_point_loss + self.d3_global_loss + self.d2_image_loss


LOSS_TERMS = tuple(field.name for field in fields(TrainingLosses))


def training_losses(
    *,
    view_logits: Tensor,
    view_maps: Tensor,
    point_maps: Tensor,
    non_zero: Tensor,
    labels: Tensor,
    masks: Tensor,
    view_masks: Tensor,
    terms: Collection[str] = LOSS_TERMS,
) -> TrainingLosses:
    """The loss of a batch of B samples with V views and P points.

    Args:
        view_logits: (B, V, 2), normal and anomalous (``global_logits``).
        view_maps: (B, V, H, W), anomalous probability of the pixels.
        point_maps: (B, P), anomalous probability of the points (``back_project`` of ``view_maps``).
        non_zero: (B, P) bool, False for holes, whose normal and anomalous value is 0.
        labels: (B,), 1 for anomalous samples.
        masks: (B, P), 1 for anomalous points.
        view_masks: (B, V, H, W), 1 for anomalous pixels of the drawn ground truth.
        terms: names out of ``LOSS_TERMS``; the others are not computed.

    Raises:
        InputError: a term does not exist, or none is left.
    """
    check_terms(terms)
    off = view_logits.new_zeros(())
    pixel = point = sample = image = off
    if "d2_pixel_loss" in terms:
        pixel = pixel_loss(view_maps, view_masks)
    if "d3_point_loss" in terms:
        normal = torch.where(non_zero, 1 - point_maps, 0)
        masks = masks.to(point_maps.dtype)
        point = dice_loss(point_maps, masks).mean() + dice_loss(normal, 1 - masks).mean()
    if "d3_global_loss" in terms:
        sample = F.cross_entropy(sample_logits(view_logits), labels.long())
    if "d2_image_loss" in terms:
        view_labels = view_masks.flatten(2).amax(dim=-1) > 0  # (B, V): does the view show any anomalous pixel
        image = F.cross_entropy(view_logits.flatten(0, 1), view_labels.flatten().long())
    return TrainingLosses(d2_pixel_loss=pixel, d3_point_loss=point, d3_global_loss=sample, d2_image_loss=image)


def check_terms(terms: Collection[str]) -> None:
    """Refuse terms that the loss does not have.

    Raises:
        InputError: a term does not exist, or none is left.
    """
    unknown = sorted(set(terms) - set(LOSS_TERMS))
    if unknown or not terms:
        named = ", ".join(unknown) or "no terms"
        raise InputError(f"loss {named}", "not a part of the training loss", f"choose among {', '.join(LOSS_TERMS)}")


def pixel_loss(maps: Tensor, masks: Tensor) -> Tensor:
    """Focal and Dice of the maps of views (…, H, W) against their masks (…, H, W): a scalar."""
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
    """Focal loss of every pixel on the probabilities of the two classes.

    Args:
        anomalous: (…) anomalous probability; the normal one is the rest to 1.
        target: (…) 1 for anomalous pixels, 0 for the others.

    Returns:
        (…): ``−(1 − p)² log p`` with p the probability of the true class. The one-hot target is clamped to
        [1e-5, 1 − 1e-5] and 1e-5 is added to p, so that it stays above zero.
    """
    of_anomalous = target.clamp(FOCAL_SMOOTHING, 1 - FOCAL_SMOOTHING)
    of_normal = (1 - target).clamp(FOCAL_SMOOTHING, 1 - FOCAL_SMOOTHING)
    probability = of_anomalous * anomalous + of_normal * (1 - anomalous) + FOCAL_SMOOTHING
    return -((1 - probability) ** FOCAL_EXPONENT) * probability.log()
