"""Batches for the pre-training: pictures in random order, turned and mirrored at random, with their captions."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.demo.pretraining.bodies import PROFILES
from pointad.demo.pretraining.captions import picture_caption, state_sentences
from pointad.demo.pretraining.marks import KINDS
from pointad.demo.pretraining.objective import visible_kinds
from pointad.demo.pretraining.outlines import FAMILIES
from pointad.demo.pretraining.picture_store import RENDERINGS, PictureStore
from pointad.demo.pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE

_AROUND_MARKS = 0.6  # share of the cut-outs of marked pictures that are laid around a mark


@dataclass(frozen=True)
class PretrainingBatch:
    """Pictures and what is said about them."""

    images: Tensor  # (B, 3, S, S) float32, 0..1
    kind_maps: Tensor  # (B, S / 3, S / 3) uint8
    captions: list[str]  # B
    states: list[str]  # 2 + K
    bodies: Tensor  # (B, 2) int64, numbers of the outline's family and of the profile


class Batches:
    """Draws batches without end; every picture comes once in each round.

    Args:
        store: the pictures.
        size: pictures in a batch.
        rng: the source of order, changes and words.
        share, shares: this process takes every `shares`-th picture, beginning with number `share`.
    """

    def __init__(
        self, store: PictureStore, size: int, rng: np.random.Generator, share: int = 0, shares: int = 1
    ) -> None:
        self._store = store
        self._size = size
        self._rng = rng
        self._numbers = np.arange(share, len(store) * (RENDERINGS + 1), shares)
        self._left = np.empty(0, dtype=np.int64)

    def draw(self, side: int = PICTURE_SIDE, count: int | None = None) -> PretrainingBatch:
        """The next batch.

        Args:
            side: of the cut-outs in pixels, a multiple of 3, or of the whole pictures.
            count: pictures, if not as many as usual.
        """
        count = self._size if count is None else count
        if len(self._left) < count:
            self._left = self._rng.permutation(self._numbers)
        chosen, self._left = self._left[:count], self._left[count:]
        drawn = [_change(self._rng, *read_picture(self._store, int(number)), side) for number in chosen]
        images = torch.from_numpy(np.stack([picture.transpose(2, 0, 1) for picture, _ in drawn]))
        kind_maps = torch.from_numpy(np.stack([kinds for _, kinds in drawn]))
        brightness = torch.from_numpy(self._rng.uniform(0.85, 1.15, (len(chosen), 1, 1, 1))).float()
        bodies = [self._store.bodies[number // (RENDERINGS + 1)] for number in chosen]
        captions = [
            picture_caption(self._rng, body, [KINDS[kind] for kind in np.flatnonzero(seen)])
            for body, seen in zip(bodies, visible_kinds(kind_maps).numpy(), strict=True)
        ]
        numbers = [(FAMILIES.index(body["family"]), PROFILES.index(body["profile"])) for body in bodies]
        pixels = (images.float() * (brightness / 255)).clamp(max=1)
        return PretrainingBatch(pixels, kind_maps, captions, state_sentences(self._rng), torch.tensor(numbers))


def _change(
    rng: np.random.Generator, picture: np.ndarray, kinds: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its kind map, turned by quarters, mirrored and cut out around the middle or a mark, at random."""
    quarter_turns = int(rng.integers(4))
    picture, kinds = np.rot90(picture, quarter_turns), np.rot90(kinds, quarter_turns)
    if rng.random() < 0.5:
        picture, kinds = picture[:, ::-1], kinds[:, ::-1]
    scale = PICTURE_SIDE // KIND_MAP_SIDE
    cut = side // scale
    spare = KIND_MAP_SIDE - cut
    marked = np.argwhere(kinds > 0)
    middle = np.full(2, KIND_MAP_SIDE / 2) + rng.normal(0, spare / 5, 2)
    if len(marked) and rng.random() < _AROUND_MARKS:
        middle = rng.choice(marked) + rng.normal(0, cut / 5, 2)
    top, left = np.clip(np.rint(middle - cut / 2), 0, spare).astype(int)
    kinds = kinds[top : top + cut, left : left + cut]
    picture = picture[scale * top : scale * top + side, scale * left : scale * left + side]
    return picture, kinds


def read_picture(store: PictureStore, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture `number` of a store as (336, 336, 3) uint8, and its kind map (112, 112) uint8."""
    body, slot = divmod(number, RENDERINGS + 1)
    kinds = np.array(store.kinds[body, slot])
    if slot == RENDERINGS:
        return np.array(store.color[body]), kinds
    return np.repeat(np.array(store.grey[body, slot])[..., None], 3, axis=2), kinds
