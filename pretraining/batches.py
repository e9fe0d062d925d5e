"""Batches for the pre-training: pictures in random order, turned, mirrored, zoomed and tinted at random.

The renderer's light comes from the camera, so a turned rendering is as good a rendering as any. Everything happens
on the device on which the pictures lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pointad.compute.processes import ALONE, Processes
from pretraining.picture_store import PHOTOGRAPHS, PICTURES, RENDERINGS, PictureStore
from pretraining.pictures import CELL, KIND_MAP_SIDE, PICTURE_SIDE

_CUT_OUT_ZOOM, _WHOLE_ZOOM = (0.7, 1.25), (0.8, 1.2)  # limits of how many pixels become one


@dataclass(frozen=True)
class Changes:
    """How much the pictures of a batch are changed at random."""

    around_marks: float = 0.6  # share of the cut-outs of marked pictures that are laid around a mark
    not_resampled: float = 0.5  # share of the pictures that are turned by quarters, mirrored and shifted by pixels only
    shift: float = 16.0  # pixels, the farthest that a whole picture moves along each side
    gamma_spread: float = 0.25  # standard deviation of the logarithm of the exponent that pixels are raised to
    brightness: tuple[float, float] = (0.8, 1.2)  # of colour pictures: limits of factors
    tint: tuple[float, float] = (0.9, 1.1)
    noise: float = 0.012  # of colour pictures, the largest


USUAL_CHANGES = Changes()


@dataclass(frozen=True)
class PretrainingBatch:
    """B pictures, the grey ones first."""

    images: Tensor  # (B, 3, S, S) float32, 0..1
    kind_maps: Tensor  # (B, S / 4, S / 4) uint8
    numbers: Tensor  # (B,) int64, which pictures of the store they are


@dataclass(frozen=True)
class _Placement:
    """Where cut-outs lie in their pictures; all fields are (B,)."""

    column: Tensor  # of the middle, in pixels
    row: Tensor
    angle: Tensor  # radians
    mirror: Tensor  # 1 or −1
    scale: Tensor  # pixels of the picture for one of the cut-out


class Batches:
    """Draws batches without end, one half of renderings and one of photographs; in each round each comes once.

    Args:
        store: the pictures.
        seed: numbers that decide order and changes.
        device: where the pictures lie; other devices than the CPU get a copy of the whole store.
        processes: those that share the pictures; each takes one of as many pictures in a row as there are processes.
        changes: how much the pictures are changed.
    """

    def __init__(
        self,
        store: PictureStore,
        seed: Sequence[int],
        device: torch.device | str = "cpu",
        processes: Processes = ALONE,
        changes: Changes = USUAL_CHANGES,
    ) -> None:
        self._device, self._changes = torch.device(device), changes
        entropy = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
        self._generator = torch.Generator(self._device).manual_seed(entropy)
        self._grey = self._tensor(store.grey).flatten(0, 1)[:, None]
        self._color = self._tensor(store.color).flatten(0, 1)
        self._kinds = self._tensor(store.kinds)  # (O, 4, M, M)
        objects = torch.arange(len(store))[:, None] * PICTURES
        # Of each sort, the numbers of the pictures in the store.
        self._numbers = [
            (objects + slots).flatten()[processes.rank :: processes.count].to(self._device)
            for slots in (torch.arange(RENDERINGS), torch.arange(RENDERINGS, PICTURES))
        ]
        self._left = [numbers[:0] for numbers in self._numbers]

    def state(self) -> dict[str, Tensor]:
        """What the next draws depend on: the random numbers' state and the pictures left in this round."""
        grey, color = (left.cpu() for left in self._left)
        return {"random": self._generator.get_state(), "grey": grey, "color": color}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Go on from a state of `state`."""
        self._generator.set_state(state["random"])
        self._left = [state[name].to(self._device) for name in ("grey", "color")]

    def draw(self, side: int, count: int) -> PretrainingBatch:
        """The next batch.

        Args:
            side: of the cut-outs in pixels, a multiple of 4, or of the whole pictures.
            count: pictures.
        """
        grey, color = self._take(0, count // 2), self._take(1, count - count // 2)
        numbers = torch.cat([grey, color])
        kinds = self._kinds[numbers // PICTURES, numbers % PICTURES][:, None].float()
        placement = self._place(side, kinds)
        grey_grid, color_grid = _sampling_grid(placement, side, 1).split([len(grey), len(color)])
        grey_images = _sampled(self._grey[grey // PICTURES * RENDERINGS + grey % PICTURES], grey_grid)
        color_pixels = self._color[color // PICTURES * PHOTOGRAPHS + color % PICTURES - RENDERINGS]
        color_images = _sampled(self._with_swapped_colors(color_pixels), color_grid)
        kind_maps = F.grid_sample(kinds, _sampling_grid(placement, side, CELL), mode="nearest", align_corners=False)
        gamma = torch.exp(self._changes.gamma_spread * self._normal((count, 1, 1, 1)))
        grey_gamma, color_gamma = gamma.split([len(grey), len(color)])
        images = torch.cat([grey_images.expand(-1, 3, -1, -1) ** grey_gamma, self._tinted(color_images**color_gamma)])
        return PretrainingBatch(images.clamp(0, 1), kind_maps[:, 0].to(torch.uint8), numbers)

    def _with_swapped_colors(self, pixels: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) with their channels in random orders: one colour is as good as another."""
        order = self._uniform((len(pixels), 3), (0, 1)).argsort(dim=1)
        return pixels[torch.arange(len(pixels), device=self._device)[:, None], order]

    def _tinted(self, images: Tensor) -> Tensor:
        """Colour pictures (B, 3, S, S) in a random light, with noise."""
        light = self._uniform((len(images), 1, 1, 1), self._changes.brightness) * self._uniform(
            (len(images), 3, 1, 1), self._changes.tint
        )
        noise = self._normal(tuple(images.shape))
        return images * light + noise * self._uniform((len(images), 1, 1, 1), (0, self._changes.noise))

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    def _uniform(self, shape: tuple[int, ...], limits: tuple[float, float]) -> Tensor:
        low, high = limits
        return low + (high - low) * torch.rand(shape, generator=self._generator, device=self._device)

    def _normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self._generator, device=self._device)

    def _take(self, sort: int, count: int) -> Tensor:
        """The next numbers of one sort; what a round has left over when it is too few is left out."""
        if len(self._left[sort]) < count:
            numbers = self._numbers[sort]
            # A store that is smaller than a batch is gone through several times.
            rounds = -(-count // len(numbers))
            orders = [
                torch.randperm(len(numbers), generator=self._generator, device=self._device) for _ in range(rounds)
            ]
            self._left[sort] = numbers[torch.cat(orders)]
        taken, self._left[sort] = self._left[sort][:count], self._left[sort][count:]
        return taken

    def _place(self, side: int, kinds: Tensor) -> _Placement:
        """Random places for cut-outs of pictures with the given kind maps (B, 1, M, M)."""
        count = len(kinds)
        whole = side == PICTURE_SIDE
        exact = self._uniform((count,), (0, 1)) < self._changes.not_resampled
        quarters = torch.randint(4, (count,), generator=self._generator, device=self._device)
        angle = quarters * (torch.pi / 2) + torch.where(
            exact, 0.0, self._uniform((count,), (-torch.pi / 4, torch.pi / 4))
        )
        low, high = _WHOLE_ZOOM if whole else _CUT_OUT_ZOOM
        scale = torch.exp(self._uniform((count,), (float(np.log(low)), float(np.log(high)))))
        scale = torch.where(exact, 1.0, scale)
        middle = torch.full((count, 2), (PICTURE_SIDE - 1) / 2, device=self._device)
        if whole:
            middle = middle + self._uniform((count, 2), (-self._changes.shift, self._changes.shift))
        else:
            spread = self._normal((count, 2))
            marked = kinds.flatten(1) > 0
            chosen = (marked * self._uniform((count, KIND_MAP_SIDE**2), (0.5, 1))).argmax(dim=1)
            mark = torch.stack([chosen % KIND_MAP_SIDE, chosen // KIND_MAP_SIDE], dim=1) * CELL + (CELL - 1) / 2
            around = marked.any(dim=1) & (self._uniform((count,), (0, 1)) < self._changes.around_marks)
            middle = torch.where(around[:, None], mark + side / 5 * spread, middle + (PICTURE_SIDE - side) / 5 * spread)
            reach = (side * scale / 2 - 0.5)[:, None]
            middle = torch.minimum(torch.maximum(middle, reach), PICTURE_SIDE - 1 - reach)
        middle = torch.where(exact[:, None], (middle - 0.5).round() + 0.5, middle)
        mirror = 1.0 - 2.0 * torch.randint(2, (count,), generator=self._generator, device=self._device)
        return _Placement(middle[:, 0], middle[:, 1], angle, mirror, scale)


def _sampled(pixels: Tensor, grid: Tensor) -> Tensor:
    """Pictures (B, C, H, W) uint8, mirrored beyond their borders, at the places of a grid; 0..1."""
    values = pixels.float() / 255
    sampled = F.grid_sample(values, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return sampled.clamp(0, 1)  # rounding may go beyond


def _sampling_grid(placement: _Placement, side: int, pitch: int) -> Tensor:
    """(B, S / pitch, S / pitch, 2) where the middles of a cut-out's cells lie, as `grid_sample` counts."""
    line = torch.arange(side // pitch, device=placement.angle.device) * pitch + (pitch - 1) / 2 - (side - 1) / 2
    cosine, sine = (placement.scale * part(placement.angle) for part in (torch.cos, torch.sin))
    x = placement.mirror[:, None, None] * line[None, None, :]
    y = line[None, :, None]
    columns = placement.column[:, None, None] + cosine[:, None, None] * x - sine[:, None, None] * y
    rows = placement.row[:, None, None] + sine[:, None, None] * x + cosine[:, None, None] * y
    return (2 * torch.stack([columns, rows], dim=-1) + 1) / PICTURE_SIDE - 1
