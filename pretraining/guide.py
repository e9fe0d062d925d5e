"""A small convolutional network that learns the same task first and then guides the image encoder.

Convolutions find marks after minutes, because a filter that serves one place serves all. A small vision transformer
has to learn each filter anew for every place within a patch; what the guide sees tells it where to look. The guide
is not kept.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pretraining.marks import KINDS

FINE_CHANNELS, COARSE_CHANNELS, WIDE_CHANNELS = 64, 128, 192
FINE_CELLS = 2  # along a patch's side: how finely the first features are told


@dataclass(frozen=True)
class Guidance:
    """What the guide says of B pictures; n × n patches."""

    global_features: Tensor  # (B, D)
    patch_features: Tensor  # (B, P, D), P = n · n in row-major order
    kind_logits: Tensor  # (B, P, 1 + K) of "plain" and each kind of mark, without any sentence
    fine: Tensor  # (B, P, 64 · 4) early features, the strongest of each half of a patch along both sides
    coarse: Tensor  # (B, P, 128) late features, the strongest of each patch


class Guide(nn.Module):
    """Convolutions at strides 4 to 32, what the coarse ones saw added to the fine ones.

    Args:
        dimensions: D of the space that pictures and texts share.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.quarter = nn.Sequential(
            _convolution(3, 32, stride=2, size=5),
            _convolution(32, FINE_CHANNELS),
            nn.MaxPool2d(2),
            _Residual(FINE_CHANNELS),
        )
        wide = WIDE_CHANNELS
        self.eighth = nn.Sequential(
            nn.MaxPool2d(2),
            _convolution(FINE_CHANNELS, COARSE_CHANNELS),
            _Residual(COARSE_CHANNELS),
            _Residual(COARSE_CHANNELS),
        )
        self.sixteenth = nn.Sequential(nn.MaxPool2d(2), _convolution(COARSE_CHANNELS, wide), _Residual(wide))
        self.last = nn.Sequential(nn.MaxPool2d(2), _convolution(wide, wide), _Residual(wide))
        self.to_sixteenth = nn.Conv2d(wide, wide, 1)
        self.to_eighth = nn.Conv2d(wide, COARSE_CHANNELS, 1)
        self.out = _convolution(COARSE_CHANNELS, COARSE_CHANNELS)
        self.patch_head = nn.Linear(COARSE_CHANNELS, dimensions)
        self.kind_head = nn.Linear(COARSE_CHANNELS, 1 + len(KINDS))
        self.global_head = nn.Linear(wide + dimensions, dimensions)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, patches: int) -> Guidance:
        """See normalized pictures (B, 3, S, S) as `patches` × `patches` patches."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            quarter = self.quarter(images.contiguous(memory_format=torch.channels_last))
            eighth = self.eighth(quarter)
            sixteenth = self.sixteenth(eighth)
            last = self.last(sixteenth)
            sixteenth = sixteenth + F.interpolate(self.to_sixteenth(last), size=sixteenth.shape[-2:])
            eighth = self.out(eighth + F.interpolate(self.to_eighth(sixteenth), size=eighth.shape[-2:]))
        coarse = F.adaptive_max_pool2d(eighth.float(), patches).flatten(2).transpose(1, 2)
        fine = F.adaptive_max_pool2d(quarter.float(), FINE_CELLS * patches)
        fine = fine.unflatten(3, (patches, FINE_CELLS)).unflatten(2, (patches, FINE_CELLS))
        patch_features = self.patch_head(coarse)
        whole = torch.cat([last.float().mean(dim=(2, 3)), patch_features.amax(dim=1)], dim=1)
        return Guidance(
            global_features=self.global_head(whole),
            patch_features=patch_features,
            kind_logits=self.kind_head(coarse),
            fine=fine.permute(0, 2, 4, 1, 3, 5).flatten(1, 2).flatten(2),
            coarse=coarse,
        )

    def freeze(self) -> None:
        """Make ready for guiding: no more learning, normalizations folded into convolutions, which take half precision.

        It then takes about half the time.
        """
        self.eval().requires_grad_(False)
        for module in list(self.modules()):
            if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
                convolution = module[0]
                assert isinstance(convolution, nn.Conv2d)
                module[0], module[1] = fuse_conv_bn_eval(convolution, module[1]), nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                module.bfloat16().to(memory_format=torch.channels_last)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.second(self.first(features)))


def _convolution(inputs: int, outputs: int, *, stride: int = 1, size: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
