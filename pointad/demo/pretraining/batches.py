"""Batches for the pre-training: pictures in random order, turned and mirrored at random, with their captions."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from pointad.demo.pretraining.bodies import FAMILIES, PROFILES
from pointad.demo.pretraining.captions import picture_caption, state_sentences
from pointad.demo.pretraining.marks import KINDS
from pointad.demo.pretraining.objective import visible_kinds
from pointad.demo.pretraining.picture_store import RENDERINGS, PictureStore
from pointad.demo.pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE

_AROUND_MARKS = 0.6  # share of the cut-outs of marked pictures that are laid around a mark
_COLOR_ROUNDS = 2  # a colour picture comes so often while a rendering comes once, each time with its colours swapped
_ZOOMS = (5 / 6, 1, 7 / 6, 4 / 3)  # of the area that a cut-out shows, along its side
_GAMMA_SPREAD = 0.25  # standard deviation of the logarithm of the exponent that pixels are raised to


@dataclass(frozen=True)
class PretrainingBatch:
    """Pictures and what is said about them."""

    images: Tensor  # (B, 3, S, S) float32, 0..1
    kind_maps: Tensor  # (B, S / 3, S / 3) uint8
    captions: list[str]  # B
    states: list[str]  # 2 + K
    bodies: Tensor  # (B, 2) int64, numbers of the outline's family and of the profile


class Batches:
    """Draws batches without end; in each round every rendering comes once and every colour picture twice.

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
        numbers = np.arange(len(store) * (RENDERINGS + 1))
        in_color = numbers[numbers % (RENDERINGS + 1) == RENDERINGS]
        self._numbers = np.concatenate([numbers, np.repeat(in_color, _COLOR_ROUNDS - 1)])[share::shares]
        self._left: np.ndarray = np.empty(0, dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """What the next draws depend on: the random numbers' state and the pictures left in this round."""
        return {"random": self._rng.bit_generator.state, "left": torch.from_numpy(self._left.copy())}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state`, in the random numbers' source too."""
        self._rng.bit_generator.state = state["random"]
        self._left = state["left"].numpy()

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
        drawn = [_draw(self._rng, self._store, int(number), side) for number in chosen]
        images = torch.from_numpy(np.stack([np.broadcast_to(picture, (3, side, side)) for picture, _ in drawn]))
        kind_maps = torch.from_numpy(np.stack([kinds for _, kinds in drawn]))
        gamma = torch.from_numpy(np.exp(self._rng.normal(0, _GAMMA_SPREAD, (len(chosen), 1, 1, 1)))).float()
        brightness = torch.from_numpy(self._rng.uniform(0.85, 1.15, (len(chosen), 1, 1, 1))).float()
        bodies = [self._store.bodies[number // (RENDERINGS + 1)] for number in chosen]
        captions = [
            picture_caption(self._rng, body, [KINDS[kind] for kind in np.flatnonzero(seen)])
            for body, seen in zip(bodies, visible_kinds(kind_maps).numpy(), strict=True)
        ]
        numbers = [(FAMILIES.index(body["family"]), PROFILES.index(body["profile"])) for body in bodies]
        pixels = ((images.float() / 255) ** gamma * brightness).clamp(max=1)
        return PretrainingBatch(pixels, kind_maps, captions, state_sentences(self._rng), torch.tensor(numbers))


def _draw(rng: np.random.Generator, store: PictureStore, number: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A cut-out of picture `number` around the middle or a mark, zoomed, turned by quarters and mirrored, at random.

    Returns:
        (1 or 3, side, side) uint8, one channel for grey, and the kind map (side / 3, side / 3) uint8.
    """
    body, slot = divmod(number, RENDERINGS + 1)
    kinds = store.kinds[body, slot]
    scale = PICTURE_SIDE // KIND_MAP_SIDE
    cut = min(KIND_MAP_SIDE, round(side / scale * float(rng.choice(_ZOOMS)))) if side < PICTURE_SIDE else KIND_MAP_SIDE
    spare = KIND_MAP_SIDE - cut
    middle = np.full(2, KIND_MAP_SIDE / 2) + rng.normal(0, spare / 5, 2)
    if spare and rng.random() < _AROUND_MARKS:
        marked = np.argwhere(kinds > 0)
        if len(marked):
            middle = rng.choice(marked) + rng.normal(0, cut / 5, 2)
    top, left = np.clip(np.rint(middle - cut / 2), 0, spare).astype(int)
    within = (slice(scale * top, scale * (top + cut)), slice(scale * left, scale * (left + cut)))
    if slot == RENDERINGS:
        picture = store.color[body][within].transpose(2, 0, 1)[rng.permutation(3)]
    else:
        picture = store.grey[body, slot][within][None]
    kinds = kinds[top : top + cut, left : left + cut]
    if scale * cut != side:
        zoomed = cv2.resize(
            np.ascontiguousarray(picture.transpose(1, 2, 0)), (side, side), interpolation=cv2.INTER_LINEAR
        )
        picture = zoomed.reshape(side, side, -1).transpose(2, 0, 1)
        kinds = cv2.resize(kinds, (side // scale, side // scale), interpolation=cv2.INTER_NEAREST)
    quarter_turns = int(rng.integers(4))
    picture, kinds = np.rot90(picture, quarter_turns, axes=(1, 2)), np.rot90(kinds, quarter_turns)
    if rng.random() < 0.5:
        picture, kinds = picture[..., ::-1], kinds[:, ::-1]
    return picture, kinds
