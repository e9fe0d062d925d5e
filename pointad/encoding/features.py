"""From batches of pictures to features of samples: the frozen encoder, run on a few pictures at a time.

Notation: B samples, V views, L layers, N patches per picture, D dimensions of the joint embedding space, and pictures
of S x S pixels.
"""

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.compute.argument_kinds import as_switch, as_whole_number, as_whole_numbers
from pointad.compute.precision import FP32, check_precision, computing_in, with_rounded_matrices
from pointad.data.batch import MultiViewBatch
from pointad.encoding.feature_cache import (
    FeatureCache,
    PictureFeatures,
    have_unit_length,
    remove_abandoned_entries,
    rounded,
)
from pointad.errors import InputError
from pointad.files.regular import as_path
from pointad.model.backbone import ClipBackbone
from pointad.model.towers import encode_pictures, width
from pointad.model.vision import check_layers

logger = logging.getLogger(__name__)

# Memory for the encoder's tensors. A GPU needs a few dozen pictures; on a CPU, more than two at once with ViT-L no
# longer fit into its caches and take a twentieth longer each.
CPU_BUDGET = 2**27  # bytes
GPU_BUDGET = 2**32  # bytes, if half of the free memory is that much
TOKEN_COPIES = 24  # a block holds about this many numbers per token and dimension at once
MOST_SAMPLES_AT_ONCE = 16


@dataclass(frozen=True)
class SampleFeatures:
    """Features of the pictures of B samples from the frozen encoder; only their directions matter, not the lengths."""

    views_global: Tensor  # (B, V, D)
    views_patches: Tensor  # (B, V, L, N, D)
    color_global: Tensor | None  # (B, D); None without RGB pictures
    color_patches: Tensor | None  # (B, L, N, D)

    def to(self, device: torch.device) -> "SampleFeatures":
        """The same features on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def kept_on_cpu(self, *, pinned: bool) -> "SampleFeatures":
        """A copy of the features in main memory, optionally page-locked for faster copies to a GPU."""
        return self._map(lambda tensor: tensor.cpu().pin_memory() if pinned else tensor.cpu().clone())

    def without_color(self) -> "SampleFeatures":
        """The same features without those of the RGB pictures."""
        return SampleFeatures(self.views_global, self.views_patches, None, None)

    def sample(self, index: int) -> "SampleFeatures":
        """One sample alone, with B = 1."""
        return self._map(lambda tensor: tensor[index : index + 1])

    def have_directions(self) -> bool:
        """Whether all features are finite and of unit length."""
        parts = (self.views_global, self.views_patches, self.color_global, self.color_patches)
        return have_unit_length(*(part for part in parts if part is not None))

    def _map(self, change: Callable[[Tensor], Tensor]) -> "SampleFeatures":
        values = (getattr(self, field.name) for field in fields(self))
        return SampleFeatures(*(None if value is None else change(value) for value in values))  # type: ignore[arg-type]


def normalize_pictures(pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Convert pictures (K, S, S, 3) uint8 to CLIP's input: (K, 3, S, S) float32, minus the mean, over the deviation."""
    as_float = pictures.permute(0, 3, 1, 2).float().div(255)
    shape = (1, 3, 1, 1)
    return (as_float - as_float.new_tensor(mean).view(shape)) / as_float.new_tensor(std).view(shape)


class PictureEncoder:
    """The image encoder with options for speed: precision, compilation, batches that fit into memory, and a cache.

    Args:
        backbone: the frozen CLIP.
        layers: blocks whose local features are returned, counted from 1; the last one if None.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        compiled: whether the encoder is compiled with ``torch.compile``.
        pictures_at_once: how many pictures are encoded together; None: as many as suit the memory.
        cache_folder: where features are cached across runs; None: no cache.

    Attributes:
        encoded: how many pictures were encoded.
        from_cache: how many pictures were found in the cache.

    Raises:
        InputError: a layer does not exist, or the precision or compilation is not supported on this device.
    """

    def __init__(
        self,
        backbone: ClipBackbone,
        layers: Sequence[int] | None = None,
        *,
        precision: str = FP32,
        compiled: bool = False,
        pictures_at_once: int | None = None,
        cache_folder: str | Path | None = None,
    ) -> None:
        self.device = next(backbone.parameters()).device
        check_precision(precision, self.device)
        compiled = as_switch(compiled, "compiled")
        if compiled and self.device.type == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
            raise InputError("compilation", "needs a C++ compiler, and none was found", "install one, or omit it")
        if pictures_at_once is not None:
            pictures_at_once = min(as_whole_number(pictures_at_once, "pictures_at_once"), sys.maxsize)
            if pictures_at_once < 1:
                raise InputError(
                    f"pictures_at_once {pictures_at_once}", "is not a number of pictures", "give at least 1"
                )
        self.backbone = backbone
        self.layers = check_layers(None if layers is None else as_whole_numbers(layers, "layers"), backbone.depth)
        self.precision = precision
        self.encoded = 0
        self.from_cache = 0
        self._pictures_at_once = pictures_at_once
        encode = backbone.encode_images
        if precision != FP32:
            encode = partial(encode_pictures, with_rounded_matrices(backbone.vision, precision))
        self._encode_images = torch.compile(encode) if compiled else encode
        self._cache = None
        if cache_folder is not None:
            fingerprint = backbone.fingerprint
            cache_folder = as_path(cache_folder, "cache_folder")
            self._cache = FeatureCache(cache_folder, fingerprint=fingerprint, layers=self.layers, precision=precision)

    def samples_at_once(self, pictures: int, size: int) -> int:
        """How many samples with that many pictures of that side in pixels should form a batch."""
        if self.device.type == "cpu":
            return 1
        return min(max(1, self._chunk(size) // pictures), MOST_SAMPLES_AT_ONCE)

    def expect(self, samples: int, pictures: int, size: int) -> None:
        """Tidy the cache, and log how much samples with that many pictures of that side in pixels will add to it."""
        if self._cache is not None:
            remove_abandoned_entries(self._cache.folder)
            patches = (size // self.backbone.patch_size) ** 2
            self._cache.state_size(samples * pictures, len(self.layers), patches, self.backbone.embedding_dim)

    @torch.no_grad()
    def encode(self, batch: MultiViewBatch) -> SampleFeatures:
        """Features of all views of all samples, and of their RGB pictures if there are any.

        Args:
            batch: samples with their pictures, on any device.

        Returns:
            Features of unit length in float32, on the backbone's device.

        Raises:
            InputError: the batch was loaded without pictures, the cache cannot be written to, or features of a sample,
                which the error names, are not finite or have no direction: all its scores would be the same.
        """
        if batch.views is None:
            raise InputError("batch", "was loaded without pictures", "load it with SampleOptions(with_pictures=True)")
        for pictures in (batch.views, batch.color):
            if pictures is not None and pictures.dtype != torch.uint8:
                raise InputError("pictures", f"are {pictures.dtype}", "give torch.uint8, 0 to 255")
        samples, views = batch.views.shape[:2]
        pictures = batch.views.flatten(0, 1)  # (B * V, S, S, 3)
        if batch.color is not None:
            pictures = torch.cat([pictures, batch.color])
        global_features, patch_features = self._look_up(pictures) if self._cache is not None else self._encode(pictures)
        count = samples * views
        has_color = batch.color is not None
        features = SampleFeatures(
            views_global=global_features[:count].unflatten(0, (samples, views)),
            views_patches=patch_features[:count].unflatten(0, (samples, views)),
            color_global=global_features[count:] if has_color else None,
            color_patches=patch_features[count:] if has_color else None,
        )
        if not have_unit_length(global_features, patch_features):
            broken = next(index for index in range(samples) if not features.sample(index).have_directions())
            problem = "its features are not finite, or have no direction: values overflow or vanish in the encoder"
            raise InputError(batch.name_of(broken), problem, "use other weights, or --precision fp32")
        return features

    def _look_up(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The result of :meth:`_encode`, rounded as in the cache whether or not a picture's features came from it."""
        assert self._cache is not None
        keys = [self._cache.key(picture) for picture in pictures.cpu().numpy()]
        found: dict[str, PictureFeatures] = {}
        missing: dict[str, int] = {}  # key -> index of the picture
        patches = (pictures.shape[1] // self.backbone.patch_size) ** 2
        shape = (len(self.layers), patches, self.backbone.embedding_dim)
        for index, key in enumerate(keys):
            if key in found or key in missing:
                continue
            features = self._cache.read(key, shape)
            if features is None:
                missing[key] = index
            else:
                found[key] = features
        self.from_cache += len(keys) - len(missing)
        if missing:
            encoded = self._encode(pictures[list(missing.values())])
            for key, global_feature, patch_feature in zip(missing, *encoded, strict=True):
                found[key] = rounded(global_feature, patch_feature)
                if have_unit_length(global_feature, patch_feature):
                    self._cache.write(key, found[key])
        global_features = torch.stack([found[key].global_features for key in keys])
        patch_features = torch.stack([found[key].patch_features for key in keys])
        return global_features.to(self.device), patch_features.to(self.device).float()

    def _encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (K, S, S, 3) uint8 to global features (K, D) and patch features (K, L, N, D)."""
        self.encoded += len(pictures)
        parts = []
        for chunk in pictures.split(self._chunk(pictures.shape[1])):
            chunk = chunk.to(self.device, non_blocking=True)
            with computing_in(self.precision, self.device):
                features = self._encode_images(
                    normalize_pictures(chunk, self.backbone.mean, self.backbone.std), self.layers
                )
            parts.append((_unit(features.global_features), _unit(features.patch_features)))
        global_features, patch_features = zip(*parts, strict=True)
        return torch.cat(global_features), torch.cat(patch_features)

    def _chunk(self, size: int) -> int:
        """How many pictures of that side in pixels are encoded together."""
        if self._pictures_at_once is None:
            tokens = (size // self.backbone.patch_size) ** 2 + 1
            token_width = width(self.backbone.vision)
            each = tokens * token_width * TOKEN_COPIES * torch.float32.itemsize
            self._pictures_at_once = max(1, _memory_budget(self.device) // each)
            logger.debug("encoding %d pictures at a time", self._pictures_at_once)
        return self._pictures_at_once


def _memory_budget(device: torch.device) -> int:
    """Memory in bytes for the encoder's tensors."""
    if device.type != "cuda":
        return CPU_BUDGET
    free, _ = torch.cuda.mem_get_info(device)
    return min(free // 2, GPU_BUDGET)


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features.float(), dim=-1)
