"""Batches for the pre-training: every picture in its turn, changed as a picture may be, its map changed with it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from picture_stores import make_store
from scipy import ndimage

from pointad.compute.processes import Processes
from pretraining.batches import Batches, Changes
from pretraining.picture_store import PICTURES, RENDERINGS, PictureStore
from pretraining.pictures import CELL, PICTURE_SIDE

CUT_OUT = 160


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PictureStore:
    return make_store(tmp_path_factory.mktemp("pictures"), objects=8, seed=3, workers=1)


@pytest.fixture
def self_portraits(store: PictureStore) -> PictureStore:
    """Pictures that show their own kind maps: bright where something is marked."""
    kinds = np.array(store.kinds)
    shown = (kinds > 0).repeat(CELL, axis=2).repeat(CELL, axis=3).astype(np.uint8) * 255
    color = shown[:, RENDERINGS:, None].repeat(3, axis=2)
    return PictureStore(shown[:, :RENDERINGS], color, kinds, store.bodies)


UNCHANGED_LIGHT = Changes(gamma_spread=0.0, brightness=(1.0, 1.0), tint=(1.0, 1.0), noise=0.0)


def test_every_picture_comes_once_a_round_and_half_of_a_batch_is_grey(store: PictureStore) -> None:
    batches = Batches(store, (0,))
    drawn = [batches.draw(side, 16) for side in (PICTURE_SIDE, CUT_OUT)]
    assert sorted(int(number) for batch in drawn for number in batch.numbers) == list(range(PICTURES * len(store)))
    for batch, side in zip(drawn, (PICTURE_SIDE, CUT_OUT), strict=True):
        assert batch.images.shape == (16, 3, side, side)
        assert batch.kind_maps.shape == (16, side // CELL, side // CELL)
        assert float(batch.images.min()) < 0.2
        assert 0.8 < float(batch.images.max()) <= 1
        assert (batch.numbers[:8] % PICTURES < RENDERINGS).all()
        assert (batch.numbers[8:] % PICTURES >= RENDERINGS).all()
        assert (batch.images[:8] == batch.images[:8, :1]).all()
    shares = [Batches(store, (0,), processes=Processes(share, 2)) for share in (0, 1)]
    numbers = [int(number) for share in shares for number in share.draw(CUT_OUT, 16).numbers]
    assert sorted(numbers) == list(range(PICTURES * len(store)))


def test_a_store_smaller_than_a_batch_is_gone_through_several_times(store: PictureStore) -> None:
    batch = Batches(store, (0,)).draw(CUT_OUT, 100)
    assert len(batch.images) == 100
    assert (torch.bincount(batch.numbers) >= 3).all()


def test_pictures_that_are_not_resampled_keep_the_value_of_every_pixel(store: PictureStore) -> None:
    batch = Batches(store, (1,), changes=replace(UNCHANGED_LIGHT, not_resampled=1.0, shift=0.0)).draw(PICTURE_SIDE, 16)
    for image, kinds, number in zip(batch.images[:8], batch.kind_maps[:8], batch.numbers[:8], strict=True):
        body, slot = divmod(int(number), PICTURES)
        picture, kind_map = torch.from_numpy(store.grey[body, slot] / 255), torch.from_numpy(store.kinds[body, slot])
        turns = [(quarters, mirrored) for quarters in range(4) for mirrored in (False, True)]
        distances = []
        for quarters, mirrored in turns:
            turned, turned_map = (
                torch.rot90(part.flip(1) if mirrored else part, quarters) for part in (picture, kind_map)
            )
            distances.append((float((image[0] - turned).abs().max()), int((kinds != turned_map).sum())))
        assert min(distances)[0] < 1e-3
        assert min(distances)[1] == 0


@pytest.mark.parametrize("unchanged", [0.0, 1.0])
@pytest.mark.parametrize("side", [PICTURE_SIDE, CUT_OUT])
def test_pictures_and_their_kind_maps_stay_together(self_portraits: PictureStore, side: int, unchanged: float) -> None:
    """A picture that shows its own kind map still does after zooming, turning, mirroring and cutting."""
    batch = Batches(self_portraits, (2,), changes=replace(UNCHANGED_LIGHT, not_resampled=unchanged)).draw(side, 32)
    cells = batch.images[:, 0].unflatten(2, (-1, CELL)).unflatten(1, (-1, CELL))
    own, marked = (cells.mean(dim=(2, 4)) > 0.5).numpy(), batch.kind_maps.numpy() > 0
    assert own.any()
    window = np.ones((1, 3, 3), dtype=bool)  # along borders a picture may be a cell farther than its map
    inside = np.zeros_like(own)
    inside[:, 2:-2, 2:-2] = True  # beyond a picture's border there is a mirror image of it, but no marks
    assert not (inside & own & ~ndimage.binary_dilation(marked, window)).sum() > 0.001 * own.size
    assert not (marked & ~ndimage.binary_dilation(own, window)).any()
    assert (own != marked).mean() < 0.02


def test_cut_outs_are_laid_around_marks(store: PictureStore) -> None:
    kinds = np.zeros_like(store.kinds)
    kinds[:, :, 14:17, 60:63] = 5
    marked = PictureStore(store.grey, store.color, kinds, store.bodies)
    seen = []
    for share in (0.0, 1.0):
        batch = Batches(marked, (4,), changes=Changes(around_marks=share)).draw(CUT_OUT, 200)
        seen.append(float(batch.kind_maps.flatten(1).any(dim=1).float().mean()))
    assert seen[0] < 0.6
    assert seen[1] > 0.9


def test_draws_go_on_from_a_state_as_if_nothing_had_been_between(store: PictureStore) -> None:
    first, second = Batches(store, (5,)), Batches(store, (6,))
    first.draw(CUT_OUT, 6)
    second.set_state(first.state())
    for _ in range(3):
        ours, theirs = first.draw(CUT_OUT, 6), second.draw(CUT_OUT, 6)
        torch.testing.assert_close(ours.images, theirs.images, rtol=0, atol=0)
        assert torch.equal(ours.numbers, theirs.numbers)
    assert not torch.equal(Batches(store, (7,)).draw(CUT_OUT, 6).numbers, Batches(store, (8,)).draw(CUT_OUT, 6).numbers)
