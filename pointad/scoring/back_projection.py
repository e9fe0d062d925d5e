"""Maps of the views to values of the points: a point averages its pixels over the views that see it (section 3.2)."""

from torch import Tensor


def back_project(maps: Tensor, correspondences: Tensor, non_zero: Tensor) -> Tensor:
    """Carry the maps of a sample's views back to its points; differentiable with respect to the maps.

    Args:
        maps: (B, V, H, W) floating point.
        correspondences: (B, V, P, 3) of any integer type: column x, row y and whether the view sees the point (0, 1);
            the flags of points that no view sees are already filled (``pointad.data.visibility``).
        non_zero: (B, P) bool, False for holes.

    Returns:
        (B, P): the mean over the views that see the point; 0 for holes and where no view sees anything.
    """
    column, row, visible = correspondences.unbind(dim=-1)  # (B, V, P) each
    pixel = row.long() * maps.shape[-1] + column.long()
    values = maps.flatten(2).gather(2, pixel)  # (B, V, P)
    weights = visible.to(maps.dtype) * non_zero[:, None].to(maps.dtype)
    return (values * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
