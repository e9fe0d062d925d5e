"""One step of learning, shared by several processes: half precision computes, full precision takes the step."""

import copy
import math
from collections.abc import Iterable

import open_clip
import torch
from torch import Tensor, nn

from pointad.compute.processes import ALONE, Processes


class PatchProjection(nn.Module):
    """A convolution of patches that do not overlap, as one matrix product: its gradient is faster on CPUs."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, width, H / side, W / side)."""
        side = self.weight.shape[-1]
        patches = images.unfold(2, side, side).unfold(3, side, side)  # (B, 3, rows, columns, side, side)
        return (patches.permute(0, 2, 3, 1, 4, 5).flatten(3) @ self.weight.flatten(1).T).permute(0, 3, 1, 2)


def computing_copy(model: open_clip.CLIP) -> open_clip.CLIP:
    """What computes, in half precision; the model itself takes the steps in full precision."""
    half = copy.deepcopy(model).bfloat16()
    half.visual.conv1 = PatchProjection(half.visual.conv1)
    return half


def make_optimizer(
    parameters: Iterable[tuple[str, nn.Parameter]], rate: float, weight_decay: float, slow: dict[str, float]
) -> torch.optim.Optimizer:
    """AdamW: matrices with weight decay, the rest and embeddings without.

    Args:
        parameters: named.
        rate: learning rate.
        weight_decay: of the matrices.
        slow: names with the share of the rate at which they learn.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters:
        decay = weight_decay if parameter.ndim >= 2 and "embedding" not in name else 0.0
        groups.setdefault((decay, slow.get(name, 1.0)), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": group, "weight_decay": decay, "share": share} for (decay, share), group in groups.items()],
        lr=rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all groups, each times its share."""
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * rate


def rate_at(step: int, steps: int, highest: float, warm_up: float = 0.03) -> float:
    """Learning rate of a step: a linear rise over the share `warm_up` of the steps, then half a cosine down to 2 %."""
    rise = max(1.0, warm_up * steps)
    if step < rise:
        return highest * (step + 1) / rise
    progress = (step - rise) / max(1.0, steps - rise)
    return highest * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def take_step(
    optimizer: torch.optim.Optimizer,
    computing: list[nn.Parameter],
    full: list[nn.Parameter],
    processes: Processes = ALONE,
) -> None:
    """One step of the full parameters by the gradients of the computing ones, which follow; the same list may be both.

    Gradients are averaged over all processes as one vector.
    """
    pairs = [(own, goal) for own, goal in zip(computing, full, strict=True) if own.grad is not None]
    together = torch.cat([own.grad.flatten() for own, _ in pairs if own.grad is not None]).float()
    if processes.count > 1:
        together = processes.sum(together) / processes.count
    for (own, goal), part in zip(pairs, together.split([own.numel() for own, _ in pairs]), strict=True):
        own.grad = None
        # The fused optimizer walks through memory: a gradient must lie as its parameter does, channels last too.
        goal.grad = torch.empty_like(goal).copy_(part.view_as(goal))
    nn.utils.clip_grad_norm_([goal for _, goal in pairs], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    with torch.no_grad():
        different = [(own, goal) for own, goal in pairs if own is not goal]
        if different:
            torch._foreach_copy_([own for own, _ in different], [goal for _, goal in different])


@torch.no_grad()
def follow(average: Iterable[nn.Parameter], parameters: Iterable[nn.Parameter], keep: float) -> None:
    """A running mean of parameters, in place."""
    torch._foreach_lerp_(list(average), list(parameters), 1 - keep)
