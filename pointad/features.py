"""From batches of pictures to features of samples, a few pictures at a time so that memory stays bounded.

B samples, V views, L layers, N patches a picture, D joint dimensions of the CLIP model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pointad.data.batch import MultiViewBatch
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.vision import ImageFeatures

PICTURES_AT_ONCE = 32


@dataclass(frozen=True)
class SampleFeatures:
    """What the frozen encoder says about the pictures of B samples; not normalized."""

    views_global: Tensor  # (B, V, D)
    views_patches: Tensor  # (B, V, L, N, D)
    color_global: Tensor | None  # (B, D); None without RGB pictures
    color_patches: Tensor | None  # (B, L, N, D)

    def to(self, device: torch.device) -> "SampleFeatures":
        """The same features on another device."""
        color_global = None if self.color_global is None else self.color_global.to(device)
        color_patches = None if self.color_patches is None else self.color_patches.to(device)
        return SampleFeatures(self.views_global.to(device), self.views_patches.to(device), color_global, color_patches)


def concatenate(parts: Sequence[SampleFeatures]) -> SampleFeatures:
    """Features of several groups of samples as those of one group; colour is kept only if every part has it."""

    def join(name: str) -> Tensor | None:
        tensors = [getattr(part, name) for part in parts]
        return None if any(tensor is None for tensor in tensors) else torch.cat(tensors)

    return SampleFeatures(
        views_global=torch.cat([part.views_global for part in parts]),
        views_patches=torch.cat([part.views_patches for part in parts]),
        color_global=join("color_global"),
        color_patches=join("color_patches"),
    )


def normalize_pictures(pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Pictures (K, S, S, 3) uint8 to what CLIP takes: (K, 3, S, S) float32, less the mean, over the deviation."""
    as_float = pictures.permute(0, 3, 1, 2).float().div(255)
    shape = (1, 3, 1, 1)
    return (as_float - as_float.new_tensor(mean).view(shape)) / as_float.new_tensor(std).view(shape)


@torch.no_grad()
def encode_batch(
    backbone: ClipBackbone,
    batch: MultiViewBatch,
    layers: Sequence[int] | None = None,
    *,
    pictures_at_once: int = PICTURES_AT_ONCE,
) -> SampleFeatures:
    """Encode all views of all samples, and their RGB pictures where there are any.

    Args:
        backbone: the frozen CLIP.
        batch: samples with their pictures, on the backbone's device.
        layers: blocks whose local features are wanted, counted from 1; the last one when None.
        pictures_at_once: how many pictures go through the encoder together.

    Raises:
        InputError: the batch was loaded without pictures.
    """
    if batch.views is None:
        raise InputError("batch", "was loaded without pictures", "load it with SampleOptions(with_pictures=True)")
    samples, views = batch.views.shape[:2]
    pictures = batch.views.flatten(0, 1)  # (B * V, S, S, 3)
    if batch.color is not None:
        pictures = torch.cat([pictures, batch.color])
    parts: list[ImageFeatures] = []
    for chunk in pictures.split(pictures_at_once):
        parts.append(backbone.encode_images(normalize_pictures(chunk, backbone.mean, backbone.std), layers))
    global_features = torch.cat([part.global_features for part in parts])
    patch_features = torch.cat([part.patch_features for part in parts])
    count = samples * views
    has_color = batch.color is not None
    return SampleFeatures(
        views_global=global_features[:count].unflatten(0, (samples, views)),
        views_patches=patch_features[:count].unflatten(0, (samples, views)),
        color_global=global_features[count:] if has_color else None,
        color_patches=patch_features[count:] if has_color else None,
    )
