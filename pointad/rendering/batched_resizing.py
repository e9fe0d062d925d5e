"""Resizes all pictures of a scan at once, on any device, with the same result as `pointad.rendering.resizing`."""

import torch
from torch import Tensor

from pointad.rendering.resizing import WEIGHT_BITS, bicubic_weights

_HALF_BITS = WEIGHT_BITS // 2


def resize_batch(pictures: Tensor, size: int) -> Tensor:
    """Resize grey pictures (V, W, W) uint8 to (V, size, size) on their device, byte for byte as Pillow does."""
    window = pictures.shape[-1]
    weights = torch.as_tensor(bicubic_weights(window, size), device=pictures.device)
    # Split into two halves of few bits, every product and sum is exact in float32, even in a GPU's reduced precision.
    coarse = weights >> _HALF_BITS
    fine = weights - (coarse << _HALF_BITS)

    def shrink_rows(values: Tensor) -> Tensor:
        high, low = (values.float() @ part.float().T for part in (coarse, fine))
        total = (high.long() << _HALF_BITS) + low.long()
        return ((total + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS).clamp(0, 255)

    return shrink_rows(shrink_rows(pictures).transpose(1, 2)).transpose(1, 2).to(torch.uint8)
