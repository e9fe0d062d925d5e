"""The training loss from grids of patches: what is linear in the maps is summed up once per sample, before training.

Maps are grids of patches, resized bilinearly, and point values are weighted means of pixels: both are linear in the
grid. So every sum that a Dice loss takes over pixels or points is a scalar product of the grid with numbers that do not
change while the prompts learn. Only the focal loss looks at every pixel. ``pointad.training.reference_losses`` with
``pointad.scoring.back_projection`` says the same step by step, and is what this is tested against.

B samples, V views, S pixels a side of maps and of the grid of points, P = S * S, g patches a side of a picture.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.data.batch import MultiViewSample
from pointad.errors import InputError
from pointad.scoring.similarity import sample_logits
from pointad.training.reference_losses import DICE_SMOOTHING, FOCAL_SMOOTHING, LOSS_TERMS, TrainingLosses, check_terms


@dataclass(frozen=True)
class GridTargets:
    """What B samples should give, as far as the loss needs it."""

    labels: Tensor  # (B,) int64, 1 is anomalous
    view_labels: Tensor  # (B, V) int64, 1 where the view shows anomalous pixels
    pixel_masks: Tensor  # (B, V, S, S) bool, anomalous pixels
    pixel_overlap: Tensor  # (B, V, g, g): scalar product with a grid = sum of its map over the anomalous pixels
    pixel_total: Tensor  # (B, V, g, g): … over all pixels
    point_overlap: Tensor  # (B, V, g, g): scalar product with the grids of all views = sum over the anomalous points
    point_total: Tensor  # (B, V, g, g): … over all points
    anomalous_pixels: Tensor  # (B, V), their number
    anomalous_positions: Tensor  # (B,), number of anomalous positions on the grid of points, holes included
    points: Tensor  # (B,), number of positions that hold a point
    normal_points: Tensor  # (B,), number of points that are not anomalous

    def to(self, device: torch.device) -> "GridTargets":
        """The same targets on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "GridTargets":
        """The same targets in page-locked memory, for faster copies to a GPU."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, change: Callable[[Tensor], Tensor]) -> "GridTargets":
        return GridTargets(*(change(getattr(self, field.name)) for field in fields(self)))


def grid_targets(sample: MultiViewSample, grid_side: int) -> GridTargets:
    """Sum up what never changes about one sample; see :class:`GridTargets`, with B = 1.

    Args:
        sample: with the ground truth of its views.
        grid_side: g, patches a side of the encoder's pictures.

    Raises:
        InputError: the sample was loaded without the ground truth of its views.
    """
    if sample.views_gt is None:
        remedy = "load it with SampleOptions(with_views_gt=True)"
        raise InputError("sample", "was loaded without the ground truth of its views", remedy)
    pixel_masks = sample.views_gt
    views, size = pixel_masks.shape[:2]
    # Sums over a hundred thousand pixels: in double precision, rounded once at the end.
    weights = _upsampling(grid_side, size, pixel_masks.device).double()  # (S, g)
    pixel, shares = _point_shares(sample, size)  # (V, P) each
    anomalous_shares = shares * sample.mask
    anomalous = pixel_masks.flatten(1).sum(dim=1)  # (V,)

    def per_patch(per_pixel: Tensor) -> Tensor:  # (V, S, S) to (V, g, g): the transpose of resizing
        return (weights.T @ per_pixel.double() @ weights).float()

    def per_pixel(per_point: Tensor) -> Tensor:  # (V, P) to (V, S, S): the transpose of looking pixels up
        return torch.zeros_like(per_point).scatter_add_(1, pixel, per_point).unflatten(1, (size, size))

    targets = GridTargets(
        labels=torch.tensor(sample.label),
        view_labels=(anomalous > 0).long(),
        pixel_masks=pixel_masks.clone(),  # loader processes want their memory back
        pixel_overlap=per_patch(pixel_masks),
        pixel_total=per_patch(torch.ones(views, size, size)),
        point_overlap=per_patch(per_pixel(anomalous_shares)),
        point_total=per_patch(per_pixel(shares)),
        anomalous_pixels=anomalous.float(),
        anomalous_positions=sample.mask.sum().float(),
        points=sample.non_zero.sum().float(),
        normal_points=(sample.non_zero & ~sample.mask).sum().float(),
    )
    return targets._map(lambda tensor: tensor[None])


def concatenate_targets(parts: Sequence[GridTargets]) -> GridTargets:
    """Targets of several groups of samples as those of one group."""
    return GridTargets(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(GridTargets)))


def grid_losses(
    view_logits: Tensor, grids: Tensor, targets: GridTargets, terms: Collection[str] = LOSS_TERMS
) -> TrainingLosses:
    """The loss of B samples, the same as ``pointad.training.reference_losses.training_losses`` gives it.

    Args:
        view_logits: (B, V, 2), normal and anomalous.
        grids: (B, V, g, g), anomalous probability of the patches.
        targets: of the same samples.
        terms: names out of ``LOSS_TERMS``; the others are not computed.

    Raises:
        InputError: a term does not exist, or none is left.
    """
    check_terms(terms)
    off = view_logits.new_zeros(())
    pixel = point = sample = image = off
    if "d2_pixel_loss" in terms:
        pixel = _pixel_focal(grids, targets.pixel_masks) + _pixel_dice(grids, targets).mean()
    if "d3_point_loss" in terms:
        point = _point_dice(grids, targets).mean()
    if "d3_global_loss" in terms:
        sample = F.cross_entropy(sample_logits(view_logits), targets.labels)
    if "d2_image_loss" in terms:
        image = F.cross_entropy(view_logits.flatten(0, 1), targets.view_labels.flatten())
    return TrainingLosses(d2_pixel_loss=pixel, d3_point_loss=point, d3_global_loss=sample, d2_image_loss=image)


def _pixel_focal(grids: Tensor, masks: Tensor) -> Tensor:
    """Mean focal loss of all pixels, a scalar."""
    weights = _upsampling(grids.shape[-1], masks.shape[-1], grids.device)
    maps = weights @ (grids @ weights.T)  # (B, V, S, S)
    of_true_class = torch.where(masks, maps, 1 - maps)
    # A one-hot target clamped to [1e-5, 1 - 1e-5], and 1e-5 on top.
    probability = of_true_class * (1 - 2 * FOCAL_SMOOTHING) + 2 * FOCAL_SMOOTHING
    return -((1 - probability).square() * probability.log()).mean()


def _pixel_dice(grids: Tensor, targets: GridTargets) -> Tensor:
    """Dice loss of the anomalous map of every view plus that of the normal one, (B, V)."""
    pixels = targets.pixel_masks.shape[-1] ** 2
    overlap = (grids * targets.pixel_overlap).flatten(2).sum(dim=-1)
    total = (grids * targets.pixel_total).flatten(2).sum(dim=-1)
    masked = targets.anomalous_pixels
    anomalous = _dice(overlap, total + masked)
    return anomalous + _dice(pixels - masked - (total - overlap), (pixels - total) + (pixels - masked))


def _point_dice(grids: Tensor, targets: GridTargets) -> Tensor:
    """Dice loss of the anomalous points of every sample plus that of the normal ones, (B,)."""
    positions = targets.pixel_masks.shape[-1] ** 2
    overlap = (grids * targets.point_overlap).flatten(1).sum(dim=-1)
    total = (grids * targets.point_total).flatten(1).sum(dim=-1)
    masked = targets.anomalous_positions
    anomalous = _dice(overlap, total + masked)
    normal_overlap = targets.normal_points - (total - overlap)
    return anomalous + _dice(normal_overlap, (targets.points - total) + (positions - masked))


def _dice(overlap: Tensor, size: Tensor) -> Tensor:
    """Dice loss from the sum of products and the sum of both sums."""
    return 1 - (2 * overlap + DICE_SMOOTHING) / (size + DICE_SMOOTHING)


def _point_shares(sample: MultiViewSample, size: int) -> tuple[Tensor, Tensor]:
    """The pixel that each point looks at and the share that it gives to it, (V, P) each: int64 and float64."""
    column, row, visible = sample.correspondences.unbind(dim=-1)
    seen = (visible != 0) & sample.non_zero
    return row.long() * size + column.long(), seen / seen.sum(dim=0).clamp(min=1).double()


def _upsampling(grid_side: int, size: int, device: torch.device) -> Tensor:
    """Bilinear resizing of a line (corners not aligned) as a matrix (size, grid_side)."""
    units = torch.eye(grid_side, device=device)[None]
    return F.interpolate(units, size=size, mode="linear", align_corners=False)[0].T.contiguous()
