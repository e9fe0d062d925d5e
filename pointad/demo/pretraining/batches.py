"""Batches for the pre-training: pictures in random order, turned and mirrored at random, with their captions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointad.demo.pretraining.captions import picture_caption, state_sentences
from pointad.demo.pretraining.marks import KINDS
from pointad.demo.pretraining.objective import visible_kinds
from pointad.demo.pretraining.picture_store import RENDERINGS, PictureStore


@dataclass(frozen=True)
class PretrainingBatch:
    """Pictures and what is said about them."""

    images: Tensor  # (B, 3, 336, 336) float32, 0..1
    kind_maps: Tensor  # (B, 112, 112) uint8
    captions: list[str]  # B
    states: list[str]  # 2 + K


def endless_batches(
    store: PictureStore, size: int, rng: np.random.Generator, share: int = 0, shares: int = 1
) -> Iterator[PretrainingBatch]:
    """Batches without end; every picture comes once in each round.

    Args:
        store: the pictures.
        size: pictures in a batch.
        rng: the source of order, changes and words.
        share, shares: this process takes every `shares`-th picture, beginning with number `share`.
    """
    numbers = np.arange(share, len(store) * (RENDERINGS + 1), shares)
    while True:
        order = rng.permutation(numbers)
        for start in range(0, len(order) - size + 1, size):
            yield _batch(store, np.sort(order[start : start + size]), rng)


def _batch(store: PictureStore, numbers: np.ndarray, rng: np.random.Generator) -> PretrainingBatch:
    images, kind_maps = [], []
    for number in numbers:
        picture, kinds = read_picture(store, int(number))
        quarter_turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
        picture, kinds = np.rot90(picture, quarter_turns), np.rot90(kinds, quarter_turns)
        if mirrored:
            picture, kinds = picture[:, ::-1], kinds[:, ::-1]
        images.append(torch.from_numpy(picture.transpose(2, 0, 1).copy()))
        kind_maps.append(torch.from_numpy(kinds.copy()))
    brightness = torch.from_numpy(rng.uniform(0.85, 1.15, (len(numbers), 1, 1, 1))).float()
    maps = torch.stack(kind_maps)
    captions = [
        picture_caption(rng, store.bodies[number // (RENDERINGS + 1)], [KINDS[k] for k in np.flatnonzero(seen)])
        for number, seen in zip(numbers, visible_kinds(maps).numpy(), strict=True)
    ]
    pixels = (torch.stack(images).float() / 255 * brightness).clamp(max=1)
    return PretrainingBatch(pixels, maps, captions, state_sentences(rng))


def read_picture(store: PictureStore, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture `number` of a store as (336, 336, 3) uint8, and its kind map (112, 112) uint8."""
    body, slot = divmod(number, RENDERINGS + 1)
    kinds = np.array(store.kinds[body, slot])
    if slot == RENDERINGS:
        return np.array(store.color[body]), kinds
    return np.repeat(np.array(store.grey[body, slot])[..., None], 3, axis=2), kinds
