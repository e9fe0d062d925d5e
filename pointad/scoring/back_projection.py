"""Back-projection of the views' maps: a point averages its pixels over the views that see it (section 3.2).

Training and scoring both use :func:`back_project`, so a fusion added to :data:`VIEW_FUSIONS`, or a change made here,
applies to both. Nothing here imports torch, so that programs can list the fusions before it is loaded.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pointad.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

MEAN = "mean"  # the published fusion


def mean_of_views(values: "Tensor", seen: "Tensor") -> "Tensor":
    """The mean over the views that see the point, as published: (B, V, P) and (B, V, P) bool to (B, P)."""
    weights = seen.to(values.dtype)
    return (values * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def largest_of_views(values: "Tensor", seen: "Tensor") -> "Tensor":
    """The maximum over the views that see the point: (B, V, P) and (B, V, P) bool to (B, P)."""
    return values.masked_fill(~seen, -float("inf")).amax(dim=1)


def two_largest_of_views(values: "Tensor", seen: "Tensor") -> "Tensor":
    """The mean of the two largest values over the views that see the point, or the only one; shapes as above."""
    count = min(2, values.shape[1])
    largest = values.masked_fill(~seen, -float("inf")).topk(count, dim=1).values  # (B, 2, P)
    return mean_of_views(largest.masked_fill(largest.isinf(), 0), ~largest.isinf())


VIEW_FUSIONS: "dict[str, Callable[[Tensor, Tensor], Tensor]]" = {
    MEAN: mean_of_views,
    "max": largest_of_views,
    "top2": two_largest_of_views,
}
"""Fuse each point's values in the views (B, V, P), with the views that see it (B, V, P) bool, to one value (B, P)."""


def back_project(maps: "Tensor", correspondences: "Tensor", non_zero: "Tensor", view_fusion: str = MEAN) -> "Tensor":
    """Back-project the maps of a sample's views to its points; differentiable with respect to the maps.

    Args:
        maps: (B, V, H, W) floating point.
        correspondences: (B, V, P, 3) of any integer type: column x, row y and whether the view sees the point (0, 1);
            the flags of points that no view sees have already been filled (``pointad.data.visibility``).
        non_zero: (B, P) bool, False for holes.
        view_fusion: a key of :data:`VIEW_FUSIONS`: how the views that see a point are fused.

    Returns:
        (B, P): one value per point; 0 for holes and for points that no view sees.

    Raises:
        InputError: the fusion is unknown, the shapes do not match, or the maps or the correspondences are of another
            kind; on a CPU also if a correspondence lies outside of the maps (a GPU would have to be waited for).
    """
    if view_fusion not in VIEW_FUSIONS:
        raise InputError(f"view fusion {view_fusion}", "is not known", f"choose one of {', '.join(VIEW_FUSIONS)}")
    _check_arguments(maps, correspondences, non_zero)
    column, row, visible = correspondences.unbind(dim=-1)  # (B, V, P) each
    pixel = row.long() * maps.shape[-1] + column.long()
    values = maps.flatten(2).gather(2, pixel)  # (B, V, P)
    seen = (visible != 0) & non_zero[:, None].bool()
    return VIEW_FUSIONS[view_fusion](values, seen).masked_fill(~seen.any(dim=1), 0)


def _check_arguments(maps: "Tensor", correspondences: "Tensor", non_zero: "Tensor") -> None:
    views, points = maps.shape[:2], correspondences.shape[2:3]
    fit = correspondences.shape == (*views, *points, 3) and non_zero.shape == (*views[:1], *points)
    if maps.ndim != 4 or not fit:
        problem = f"have the shapes {', '.join(str(tuple(one.shape)) for one in (maps, correspondences, non_zero))}"
        remedy = "give (B, V, H, W), (B, V, P, 3) and (B, P)"
        raise InputError("maps, correspondences and flags of points", problem, remedy)
    if not maps.is_floating_point() or correspondences.is_floating_point():
        problem = f"are {maps.dtype} and {correspondences.dtype}"
        raise InputError("maps and correspondences", problem, "give floating-point numbers and whole numbers")
    height, width = maps.shape[2:]
    if correspondences.device.type == "cpu" and correspondences.numel():
        column, row, _ = correspondences.unbind(dim=-1)
        if min(column.min(), row.min()) < 0 or column.max() >= width or row.max() >= height:
            raise InputError("correspondences", f"lie outside of maps of {width} x {height}", "render the scan again")
