"""A fast equivalent of the published loss: what is linear in the maps is precomputed once per sample before training.

Maps are patch grids, resized bilinearly, and with the published fusion of the views the points' values are weighted
means of pixels: both are linear in the grid. So every sum over pixels or points in a Dice loss is a dot product of the
grid with numbers that stay constant during training. Only the focal loss needs every pixel.

The definition of the loss, and the place to change it, is :mod:`pointad.training.losses`. The weights of the pixels in
the points are derived from ``back_project`` itself, and :mod:`pointad.training.loss_paths` uses this path only if it
gives the same numbers.

Notation: B samples, V views, maps and point grids of S x S, P = S * S, pictures of g x g patches.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.data.batch import MultiViewSample
from pointad.scoring.back_projection import back_project
from pointad.scoring.similarity import sample_logits
from pointad.training.losses import DICE_SMOOTHING, FOCAL_EXPONENT, FOCAL_SMOOTHING
from pointad.training.targets import Targets, drawn_truth


@dataclass(frozen=True)
class GridTargets(Targets):
    """Targets of B samples, as far as the published loss needs them."""

    view_labels: Tensor  # (B, V) int64, 1 where the view shows anomalous pixels
    pixel_masks: Tensor  # (B, V, S, S) bool, anomalous pixels
    pixel_overlap: Tensor  # (B, V, g, g): dot product with a grid = sum of its map over the anomalous pixels
    pixel_total: Tensor  # (B, V, g, g): … over all pixels
    point_overlap: Tensor  # (B, V, g, g): dot product with the grids of all views = sum over the anomalous points
    point_total: Tensor  # (B, V, g, g): … over all points
    anomalous_pixels: Tensor  # (B, V), their number
    anomalous_positions: Tensor  # (B,), number of anomalous positions on the grid of points, holes included
    points: Tensor  # (B,), number of positions that hold a point
    normal_points: Tensor  # (B,), number of points that are not anomalous


def grid_targets(sample: MultiViewSample, grid_side: int, view_fusion: str) -> GridTargets:
    """Precompute the constant sums of one sample; see :class:`GridTargets`, with B = 1.

    Args:
        sample: loaded with the ground truth of its views.
        grid_side: g, patches per side of the encoder's pictures.
        view_fusion: as in ``back_project``; must be linear in the maps.

    Raises:
        InputError: the sample was loaded without the ground truth of its views.
    """
    pixel_masks = drawn_truth(sample)
    views, size = pixel_masks.shape[:2]
    # Sums over a hundred thousand pixels: in double precision, rounded once at the end.
    weights = _upsampling(grid_side, size, pixel_masks.device).double()  # (S, g)
    anomalous = pixel_masks.flatten(1).sum(dim=1)  # (V,)
    pixels_of_points, pixels_of_anomalies = _weights_of_pixels(sample, size, view_fusion)

    def per_patch(per_pixel: Tensor) -> Tensor:  # (V, S, S) to (V, g, g): the transpose of resizing
        return (weights.T @ per_pixel.double() @ weights).float()

    targets = GridTargets(
        labels=torch.tensor(sample.label),
        view_labels=(anomalous > 0).long(),
        pixel_masks=pixel_masks.clone(),  # so that loader processes can reuse their memory
        pixel_overlap=per_patch(pixel_masks),
        pixel_total=per_patch(torch.ones(views, size, size)),
        point_overlap=per_patch(pixels_of_anomalies),
        point_total=per_patch(pixels_of_points),
        anomalous_pixels=anomalous.float(),
        anomalous_positions=sample.mask.sum().float(),
        points=sample.non_zero.sum().float(),
        normal_points=(sample.non_zero & ~sample.mask).sum().float(),
    )
    return targets.changed(lambda tensor: tensor[None])


def grid_losses(view_logits: Tensor, grids: Tensor, targets: GridTargets, terms: Collection[str]) -> dict[str, Tensor]:
    """The loss of B samples, with the same result as :func:`pointad.training.losses.training_losses`.

    Args:
        view_logits: (B, V, 2), normal and anomalous.
        grids: (B, V, g, g), anomalous probability of the patches.
        targets: of the same samples.
        terms: names of published terms; the others are not computed.
    """
    losses: dict[str, Tensor] = {}
    if "d2_pixel_loss" in terms:
        losses["d2_pixel_loss"] = _pixel_focal(grids, targets.pixel_masks) + _pixel_dice(grids, targets).mean()
    if "d3_point_loss" in terms:
        losses["d3_point_loss"] = _point_dice(grids, targets).mean()
    if "d3_global_loss" in terms:
        losses["d3_global_loss"] = F.cross_entropy(sample_logits(view_logits), targets.labels)
    if "d2_image_loss" in terms:
        losses["d2_image_loss"] = F.cross_entropy(view_logits.flatten(0, 1), targets.view_labels.flatten())
    return losses


def _pixel_focal(grids: Tensor, masks: Tensor) -> Tensor:
    """Mean focal loss of all pixels, a scalar."""
    weights = _upsampling(grids.shape[-1], masks.shape[-1], grids.device, grids.dtype)
    maps = weights @ (grids @ weights.T)  # (B, V, S, S)
    of_true_class = torch.where(masks, maps, 1 - maps)
    # A one-hot target clamped to [1e-5, 1 - 1e-5], with 1e-5 added.
    probability = of_true_class * (1 - 2 * FOCAL_SMOOTHING) + 2 * FOCAL_SMOOTHING
    return -((1 - probability) ** FOCAL_EXPONENT * probability.log()).mean()


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
    """Dice loss from the sum of the products and the total of both sums."""
    return 1 - (2 * overlap + DICE_SMOOTHING) / (size + DICE_SMOOTHING)


def _weights_of_pixels(sample: MultiViewSample, size: int, view_fusion: str) -> tuple[Tensor, Tensor]:
    """Weight of each pixel in the sum over all points, and over the anomalous ones: (V, S, S) float64 each.

    The fusion is linear, so these are its gradients at any point.
    """
    views = len(sample.correspondences)
    with torch.enable_grad():
        maps = torch.zeros(1, views, size, size, dtype=torch.float64, requires_grad=True)
        (values,) = back_project(maps, sample.correspondences[None], sample.non_zero[None], view_fusion)
        (of_points,) = torch.autograd.grad(values.sum(), maps, retain_graph=True)
        (of_anomalies,) = torch.autograd.grad((values * sample.mask).sum(), maps)
    return of_points[0], of_anomalies[0]


def _upsampling(grid_side: int, size: int, device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Bilinear resizing of a line (corners not aligned) as a matrix (size, grid_side)."""
    units = torch.eye(grid_side, device=device, dtype=dtype)[None]
    return F.interpolate(units, size=size, mode="linear", align_corners=False)[0].T.contiguous()
