"""A start for the patch projection that sees details: the main components of patches, all equally strong.

Random filters see little but the mean brightness of a patch, and a small model spends most of a short pre-training on
getting over that.
"""

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor

_PLAIN_PATCH = 0.07  # standard deviation under which a normalized patch is background
_FLOOR = 1e-2  # of the largest variance, added to all, so that noise is not blown up
_SPREAD = 0.5  # standard deviation of the projected components


@torch.no_grad()
def whiten_patches(visual: VisionTransformer, pictures: Tensor) -> None:
    """Set the patch projection to whitened main components, and the positions so that the mean patch gives nothing.

    Args:
        visual: the image encoder, changed in place.
        pictures: (B, 3, S, S) normalized, to learn the components from.
    """
    width, _, side, _ = visual.conv1.weight.shape
    patches = _patches(pictures, side)
    patches = patches[patches.std(dim=1) > _PLAIN_PATCH].double()
    middle = patches.mean(dim=0)
    centred = patches - middle
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    variances, directions = variances[-width:], directions[:, -width:]
    filters = (directions * (_SPREAD / (variances + _FLOOR * variances[-1]).sqrt())).T  # (width, 3 · side · side)
    visual.conv1.weight.copy_(filters.view_as(visual.conv1.weight))
    visual.positional_embedding[1:] -= (filters @ middle).float()


def _patches(pictures: Tensor, side: int) -> Tensor:
    """All patches of pictures (B, 3, H, W), in a row: (B · rows · columns, 3 · side · side)."""
    return pictures.unfold(2, side, side).unfold(3, side, side).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
