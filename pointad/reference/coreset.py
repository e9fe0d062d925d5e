"""A subset that stands for a larger set: greedy k-centre, as PatchCore thins its bank (Roth et al., CVPR 2022)."""

import torch
from torch import Tensor

PROJECTED = 64  # dimensions in which distances are compared; random projections keep them nearly
_SEED = 0  # of these projections


def spread_out(descriptors: Tensor, most: int) -> Tensor:
    """Choose vectors so that none of the others is far from all that are chosen.

    Each next one is the vector farthest from those chosen so far; the first is the one nearest to the mean.

    Args:
        descriptors: (K, D) floating point.
        most: how many may be chosen.

    Returns:
        (min(K, most),) int64 ascending indices.
    """
    count, length = descriptors.shape
    if count <= most:
        return torch.arange(count, device=descriptors.device)
    vectors = descriptors.float()
    if length > PROJECTED:
        generator = torch.Generator().manual_seed(_SEED)
        vectors = vectors @ torch.randn(length, PROJECTED, dtype=torch.float32, generator=generator).to(vectors)
    squares = vectors.square().sum(dim=1)
    chosen = torch.empty(most, dtype=torch.int64, device=vectors.device)
    chosen[0] = (vectors - vectors.mean(dim=0)).square().sum(dim=1).argmin()
    farthest = torch.full((count,), float("inf"), dtype=vectors.dtype, device=vectors.device)
    for number in range(1, most):
        last = chosen[number - 1]
        farthest = torch.minimum(farthest, squares + squares[last] - 2 * (vectors @ vectors[last]))
        farthest[last] = -float("inf")  # not chosen again where all that is left is equal to what is chosen
        chosen[number] = farthest.argmax()
    return chosen.sort().values
