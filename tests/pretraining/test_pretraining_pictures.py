"""The pictures that the demo backbone learns from: reproducible, varied, and marked where something was done."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from picture_stores import make_store

from pointad.errors import InputError
from pretraining.bodies import FAMILIES, PROFILES, random_body
from pretraining.marks import COLOR_ONLY_KINDS, KINDS, random_mark
from pretraining.outlines import random_outline
from pretraining.picture_store import PictureStore, StoreMaker
from pretraining.pictures import KIND_MAP_SIDE, PICTURE_SIDE, random_pictures
from pretraining.reliefs import RELIEFS, Frame, relief_height
from pretraining.strands import random_strands


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PictureStore:
    return make_store(tmp_path_factory.mktemp("pictures"), objects=8, seed=3, workers=1)


def test_bodies_lie_inside_their_grid_and_come_from_all_families() -> None:
    families, profiles = set(), set()
    for seed in range(90):
        body = random_body(np.random.default_rng(seed), 64)
        families.add(body.family)
        profiles.add(body.profile)
        assert np.isfinite(body.height).all()
        assert (body.height >= 0).all()
        assert 0.01 < (body.height > 0).mean() < 0.95
    assert families == set(FAMILIES)
    assert profiles == set(PROFILES)


def test_joined_bodies_stand_on_a_grid_as_others_do_() -> None:
    """Every body can be joined to another one, hollow rods too."""
    alone = [random_body(np.random.default_rng(seed), 32, joined_share=0.0) for seed in range(250)]
    larger = 0
    for seed, before in enumerate(alone):
        body = random_body(np.random.default_rng(seed), 32, joined_share=1.0)
        assert (body.family, body.profile) == (before.family, before.profile)
        assert np.isfinite(body.height).all()
        assert (body.height >= 0).all()
        assert (body.inside >= before.inside).all()
        larger += bool((body.inside > before.inside).any())
    assert ("rod", "bowl") in {(body.family, body.profile) for body in alone}
    assert larger > 150  # the others are strands, or stand on top


def test_outlines_are_positive_inside_and_negative_in_the_corners() -> None:
    axis = np.linspace(-1.5, 1.5, 61)
    u, v = np.meshgrid(axis, axis)
    for seed in range(40):
        _, inside = random_outline(np.random.default_rng(seed), u, v)
        assert inside.max() > 0.1
        assert inside[0, 0] < 0


def grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    axis = np.linspace(-1.3, 1.3, 131)
    return axis, *np.meshgrid(axis, axis)


@pytest.mark.parametrize("name", RELIEFS)
def test_reliefs_change_the_surface_as_little_as_marks_do(name: str) -> None:
    axis, u, v = grid()
    frame = Frame(axis, u, v, 1 - np.hypot(u, v))
    largest = []
    for seed in range(12):
        relief = relief_height(name, np.random.default_rng(seed), frame)[frame.inside > 0]
        assert np.isfinite(relief).all()
        largest.append(np.ptp(relief))
    assert 0 < np.median(largest) < 0.25
    assert max(largest) < 0.4


def test_strands_are_highest_on_their_middle_line_and_have_one_outline() -> None:
    _, u, v = grid()
    counts = set()
    for seed in range(30):
        strands = random_strands(np.random.default_rng(seed), u, v)
        np.testing.assert_array_equal(strands.inside > 0, strands.fraction > 0)
        assert 0 < strands.fraction.max() <= 1
        assert (strands.height[strands.fraction > 0] > 0).mean() > 0.9
        assert strands.inside[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0
        counts.add(int((strands.inside > 0).sum()))
    assert len(counts) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_marks_change_what_they_cover(kind: str) -> None:
    made = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        body = random_body(rng, 128)
        mark = random_mark(rng, body, kind)
        if mark is None:
            continue
        made += 1
        assert mark.kind == kind
        assert mark.area.any()
        assert not (mark.area & (body.height == 0)).any()
        changed = np.abs(mark.height - body.height) > 1e-9
        if kind in COLOR_ONLY_KINDS:
            assert not changed.any()
            assert mark.tint[mark.area].max() > 0.3
        else:
            assert changed[mark.area].mean() > 0.2
    assert made >= 5


def test_pictures_depend_on_the_seed_alone() -> None:
    first, second, other = (random_pictures(np.random.default_rng(seed))[0] for seed in (4, 4, 5))
    assert len(first) == 4
    for one, same, different in zip(first, second, other, strict=True):
        assert one.pixels.shape == (PICTURE_SIDE, PICTURE_SIDE, 3)
        assert one.pixels.dtype == np.uint8
        assert one.kind_map.shape == (KIND_MAP_SIDE, KIND_MAP_SIDE)
        np.testing.assert_array_equal(one.pixels, same.pixels)
        np.testing.assert_array_equal(one.kind_map, same.kind_map)
        assert (one.pixels != different.pixels).any()


def test_renderings_are_grey_on_white_and_know_no_stains() -> None:
    stain = KINDS.index("stain") + 1
    for seed in range(6):
        *renderings, photograph, other = random_pictures(np.random.default_rng(seed))[0]
        for rendering in renderings:
            assert (rendering.pixels == rendering.pixels[..., :1]).all()
            assert (rendering.pixels[[0, 0, -1, -1], [0, -1, 0, -1]] > 200).any()
            assert not (rendering.kind_map == stain).any()
        assert photograph.pixels.std() > 1
        assert (photograph.pixels != other.pixels).any()
        np.testing.assert_array_equal(photograph.kind_map, other.kind_map)


def test_a_store_is_opened_again_without_new_pictures(store: PictureStore, tmp_path: Path) -> None:
    again = make_store(tmp_path, objects=8, seed=3, workers=2)
    opened = make_store(tmp_path, objects=8, seed=3, workers=1)
    np.testing.assert_array_equal(again.grey, store.grey)  # whatever the number of processes
    np.testing.assert_array_equal(opened.color, store.color)
    assert opened.bodies == store.bodies
    different = make_store(tmp_path, objects=8, seed=4, workers=1)
    assert (np.asarray(different.grey) != np.asarray(store.grey)).any()


def test_an_interrupted_making_goes_on_where_it_was(store: PictureStore, tmp_path: Path) -> None:
    """The first objects are enough for some; a block that is there is not made again, one that is not is."""

    def blocks() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "bodies").iterdir()}

    first = make_store(tmp_path, objects=8, seed=3, workers=1, first=2, block=3)
    assert len(first) == 2
    np.testing.assert_array_equal(first.kinds, store.kinds[:2])
    made = blocks()
    assert list(made) == ["0.json"]
    more = make_store(tmp_path, objects=8, seed=3, workers=1, block=3)
    np.testing.assert_array_equal(more.color, store.color)
    assert sorted(blocks()) == ["0.json", "3.json", "6.json"]
    assert blocks()["0.json"] == made["0.json"]


def test_the_first_objects_can_be_opened_while_the_others_are_made(store: PictureStore, tmp_path: Path) -> None:
    with StoreMaker(tmp_path, objects=8, seed=3, workers=1, block=2) as maker:
        np.testing.assert_array_equal(maker.open(2).grey, store.grey[:2])
        assert not (tmp_path / "bodies" / "6.json").exists()
        np.testing.assert_array_equal(maker.open().grey, store.grey)


def test_a_maker_that_is_left_stops_and_one_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StoreMaker(tmp_path / "left", objects=40, seed=3, workers=1, block=1) as maker:
        maker.open(1)
    assert len(list((tmp_path / "left" / "bodies").iterdir())) < 20
    with StoreMaker(tmp_path / "failed", objects=2, seed=3, workers=1, block=1) as maker:
        monkeypatch.setattr(maker, "_making", {0: failure()})
        with pytest.raises(InputError, match="full"):
            maker.open()


def failure() -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(InputError("a folder", "is full", "make room"))
    return future


def test_captions_name_the_kinds_that_are_seen(store: PictureStore) -> None:
    for kinds, body in zip(store.kinds, store.bodies, strict=True):
        for kind_map, caption in zip(kinds, body["captions"], strict=True):
            words = "a stain", "a spot of another colour", "a blot"
            stained = int((kind_map == KINDS.index("stain") + 1).sum()) >= 6
            assert any(word in caption for word in words) == stained
