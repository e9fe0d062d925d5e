"""The pre-training runs, learns, writes what the project loads, and its short cuts compute what the long way does."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from picture_stores import make_store
from safetensors.torch import save

from pointad.errors import InputError
from pointad.model.backbone import DEMO_NAME, load_demo_backbone
from pointad.model.vision import encode_images
from pretraining.batches import Batches
from pretraining.first_filters import random_filters, set_first_filters
from pretraining.learning import learn
from pretraining.patch_whitening import whiten_patches
from pretraining.picture_features import picture_features
from pretraining.picture_store import PictureStore
from pretraining.pictures import PICTURE_SIDE
from pretraining.plan import CUT_OUT_SIDE, LearningPlan, pictures_at
from pretraining.sentences import encode_captions, encode_sentences, read_sentences
from pretraining.small_clip import CONFIGURATION, GRID_SIDE, PATCH_SIDE, new_model, normalized
from pretraining.steps import computing_copy, make_optimizer, rate_at, take_step


def opener(folder: Path, objects: int) -> Callable[[int | None], PictureStore]:
    return lambda first: make_store(folder, objects, seed=1, workers=1, first=first)


def quick_plan(**options: Any) -> LearningPlan:
    """Fewer sentences and pictures to begin with."""
    return LearningPlan(wordings=4, start_pictures=24, **options)


@pytest.fixture(scope="module")
def model() -> open_clip.CLIP:
    return new_model(0).eval().requires_grad_(False)


def test_captions_without_padding_give_the_features_of_whole_texts(model: open_clip.CLIP) -> None:
    texts = ["a flat ring with a lump.", "X X X this is a domed oval, seen from above, with a plain surface."]
    token_ids = open_clip.SimpleTokenizer()(texts)
    torch.testing.assert_close(
        encode_captions(model, token_ids[:, :30]), model.encode_text(token_ids), atol=1e-5, rtol=1e-4
    )


def test_every_picture_has_the_features_of_its_own_caption(model: open_clip.CLIP, tmp_path: Path) -> None:
    store = make_store(tmp_path, objects=3, seed=4, workers=1)
    said = read_sentences(store, seed=0, wordings=4)
    features = encode_sentences(model, said)
    captions = [caption for body in store.bodies for caption in body["captions"]]
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    torch.testing.assert_close(features.captions, model.encode_text(tokenizer(captions)), atol=1e-5, rtol=1e-4)
    assert features.states.shape == (*said.states.shape[:2], CONFIGURATION["embed_dim"])
    assert torch.equal(features.some_states(len(features.states) + 3), features.states[3])
    kinds = torch.from_numpy(store.kinds).flatten(0, 1)
    for number in range(len(captions)):
        counts = torch.bincount(kinds[number].flatten().long(), minlength=13)[1:]
        assert torch.equal(said.seen[number], counts >= 6)
    assert torch.equal(said.bodies[0], said.bodies[3])


def test_the_computing_copy_differs_by_its_precision_only(model: open_clip.CLIP) -> None:
    half = computing_copy(model)
    assert half.state_dict().keys() == model.state_dict().keys()
    images = torch.rand(2, 3, 240, 240)
    full = encode_images(model.visual, images)
    rounded = encode_images(half.float().visual, images)
    similarity = torch.cosine_similarity(full.patch_features, rounded.patch_features, dim=-1)
    assert similarity.min() > 0.99
    assert torch.cosine_similarity(full.global_features, rounded.global_features).min() > 0.99


def test_features_for_learning_are_those_of_the_method(model: open_clip.CLIP) -> None:
    images = torch.rand(2, 3, 336, 336, generator=torch.Generator().manual_seed(3))
    learned = picture_features(model.visual, images, blocks=(1, 4, 8), token_blocks=(2,))
    expected = encode_images(model.visual, images, (1, 4, 8))
    torch.testing.assert_close(learned.global_features, expected.global_features, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(learned.patch_features, expected.patch_features, atol=1e-5, rtol=1e-4)
    assert [tokens.shape for tokens in learned.tokens] == [(2, GRID_SIDE**2, 192)]


def test_cut_outs_keep_their_places_in_the_grid(model: open_clip.CLIP) -> None:
    """A cut-out whose tokens see each other alone is not the whole picture, but before any attention it is a part."""
    side = PATCH_SIDE
    images = torch.rand(1, 3, 336, 336, generator=torch.Generator().manual_seed(4))
    visual = copy.deepcopy(model.visual)
    for block in visual.transformer.resblocks:  # without attention every patch stands alone
        torch.nn.init.zeros_(block.attn.out_proj.weight)
        torch.nn.init.zeros_(block.attn.out_proj.bias)
    whole = picture_features(visual, images, blocks=(8,)).patch_features.unflatten(2, (GRID_SIDE, GRID_SIDE))
    cut = images[..., 2 * side : 5 * side, 7 * side : 10 * side]
    part = picture_features(visual, cut, corner=(2, 7), blocks=(8,)).patch_features.unflatten(2, (3, 3))
    torch.testing.assert_close(part, whole[:, :, 2:5, 7:10], atol=1e-5, rtol=1e-4)
    elsewhere = picture_features(visual, cut, corner=(0, 0), blocks=(8,)).patch_features.unflatten(2, (3, 3))
    assert (elsewhere - part).abs().max() > 1e-3


def test_whitened_patches_spread_evenly_around_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path, objects=20, seed=2, workers=1)
    batches = Batches(store, (5,))
    learned_from, pictures = (normalized(batches.draw(PICTURE_SIDE, 40).images) for _ in range(2))
    conditions, visual = [], new_model(1).visual
    for whitened in (False, True):
        before = visual.positional_embedding.detach().clone()
        if whitened:
            whiten_patches(visual, learned_from)
        with torch.no_grad():
            tokens = visual.conv1(pictures).flatten(2) + (visual.positional_embedding - before)[1:].T
        tokens = tokens.transpose(1, 2).flatten(0, 1)
        tokens = tokens[tokens.std(dim=1) > tokens.std(dim=1).median()]  # those that show the object
        spread = torch.linalg.eigvalsh(tokens.T.cov())
        conditions.append(spread[-1] / spread[0])
    assert conditions[1] < 0.01 * conditions[0]
    assert tokens.mean(dim=0).norm() < spread.sum().sqrt()


def test_first_filters_answer_to_edges_and_not_to_even_light(tmp_path: Path) -> None:
    store = make_store(tmp_path, objects=20, seed=2, workers=1)
    visual = new_model(1).visual
    batches = Batches(store, (5,))
    pictures = normalized(batches.draw(PICTURE_SIDE, 64).images)
    before = visual.transformer.resblocks[0].mlp.c_fc.weight.detach().clone()
    whiten_patches(visual, pictures)
    set_first_filters(visual, pictures[:16, :, :CUT_OUT_SIDE, :CUT_OUT_SIDE], seed=0)
    first = visual.transformer.resblocks[0]
    assert not torch.equal(first.mlp.c_fc.weight, before)
    side = visual.conv1.kernel_size[0]
    even = torch.full((1, 3, side, side), 0.6)
    edge = even.clone()
    edge[..., side // 2 :] -= 0.4
    with torch.no_grad():
        answers = [
            first.mlp.c_fc(first.ln_2(visual.ln_pre(token + visual.positional_embedding[1:].mean(dim=0))))
            for token in (visual.conv1(normalized(patch)).flatten(1) for patch in (even, edge))
        ]
    assert answers[1].std() > 2 * answers[0].std()


def test_filters_have_sum_zero_and_differ() -> None:
    filters = random_filters(np.random.default_rng(0), 50, 21)
    assert filters.shape == (50, 3 * 21 * 21)
    np.testing.assert_allclose(filters.reshape(150, -1).sum(axis=1), 0, atol=1e-9)
    assert np.linalg.matrix_rank(filters) == 50


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, 0.5, warm_up=0.08) for step in range(100)]
    assert max(rates) == pytest.approx(0.5)
    assert rates[0] < rates[2] < rates[4]
    assert rates[10] > rates[50] > rates[99] > 0


def test_a_step_is_the_same_however_a_parameter_lies_in_memory() -> None:
    """The guide's filters lie channels last; their gradients were once taken in another order."""
    generator = torch.Generator().manual_seed(6)
    start, gradient = torch.randn(2, 4, 3, 3, 3, generator=generator)
    after = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        parameter = torch.nn.Parameter(start.clone().to(memory_format=memory_format))
        parameter.grad = gradient.clone().to(memory_format=memory_format)
        take_step(make_optimizer([("filters", parameter)], 0.1, 0.0, {}), [parameter], [parameter])
        after.append(parameter.detach())
    assert (after[0] - start).abs().min() > 0.05
    torch.testing.assert_close(after[0], after[1])


def test_cut_outs_come_first_and_whole_pictures_last() -> None:
    seen = [pictures_at(step, 10, 0.6, 12) for step in range(10)]
    assert seen == [(CUT_OUT_SIDE, 12)] * 6 + [(PICTURE_SIDE, 6)] * 4
    assert CUT_OUT_SIDE % PATCH_SIDE == PICTURE_SIDE % PATCH_SIDE == 0


def test_a_short_run_learns_and_writes_a_backbone(tmp_path: Path) -> None:
    reports: list[tuple[str, int, dict[str, float]]] = []
    weights = tmp_path / f"{DEMO_NAME}.safetensors"
    plan = quick_plan(wording_steps=24, guide_steps=24, steps=24, alone_steps=2, batch_size=12, report_every=8)
    learn(opener(tmp_path / "pictures", 4), plan, weights, report=lambda *row: reports.append(row))
    stages = [(stage, step) for stage, step, _ in reports]
    assert stages == [
        *(("wording", step) for step in (8, 16, 24)),
        *(("guide", step) for step in (8, 16, 24)),
        *(("pictures", step) for step in (8, 16, 24)),
        ("alone", 2),
    ]
    losses = {(stage, step): losses for stage, step, losses in reports}
    assert losses["wording", 24]["wording"] < losses["wording", 8]["wording"]
    assert losses["guide", 16]["patch_map"] < losses["guide", 8]["patch_map"]
    assert losses["pictures", 16]["tokens"] < losses["pictures", 8]["tokens"]
    assert losses["pictures", 16]["direction"] < losses["pictures", 8]["direction"]
    assert losses["pictures", 8]["caption"] == 0 < losses["pictures", 24]["caption"]  # cut-outs have none
    assert "tokens" not in losses["alone", 2]
    backbone = load_demo_backbone(tmp_path)
    assert backbone.is_demo
    assert backbone.text.depth >= 9  # learned prompts reach into nine blocks


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    plan = quick_plan(wording_steps=1, guide_steps=1, steps=2, alone_steps=1, batch_size=4)
    for name in ("a", "b"):
        learn(opener(tmp_path / "pictures", 3), plan, tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_the_guide_learns_from_the_first_objects_and_the_image_encoder_from_all(tmp_path: Path) -> None:
    plan = quick_plan(wording_steps=1, guide_steps=1, steps=1, alone_steps=1, guide_objects=2, batch_size=4)
    asked: list[int | None] = []

    def store(first: int | None) -> PictureStore:
        asked.append(first)
        return make_store(tmp_path / "pictures", 3, seed=1, workers=1, first=first)

    for name, opened in (("few", store), ("all", opener(tmp_path / "pictures", 3))):
        learn(opened, plan if name == "few" else replace(plan, guide_objects=3), tmp_path / f"{name}.safetensors")
    assert asked == [2, None]
    assert (tmp_path / "few.safetensors").read_bytes() != (tmp_path / "all.safetensors").read_bytes()


def test_weights_of_another_model_are_refused_in_one_line(tmp_path: Path) -> None:
    plan = quick_plan(wording_steps=1, guide_steps=1, steps=1, alone_steps=1, batch_size=4)
    foreign = tmp_path / "foreign.safetensors"
    for content in (save({"visual.proj": torch.zeros(2, 2)}), b"no tensors at all"):
        foreign.write_bytes(content)
        with pytest.raises(InputError, match=r"foreign\.safetensors.*not weights of the model"):
            learn(opener(tmp_path / "pictures", 3), plan, tmp_path / "w.safetensors", start_from=foreign)
    assert not (tmp_path / "w.safetensors").exists()


def test_the_last_stage_can_be_taken_from_given_weights(tmp_path: Path) -> None:
    """A run without the last stage, and that stage from its weights, are the whole run."""
    plan = quick_plan(wording_steps=1, guide_steps=1, steps=2, alone_steps=2, batch_size=4)
    store = opener(tmp_path / "pictures", 3)
    whole, first, last = (tmp_path / f"{name}.safetensors" for name in ("whole", "first", "last"))
    learn(store, plan, whole)
    learn(store, replace(plan, alone_steps=0), first)
    learn(store, plan, last, start_from=first)
    assert last.read_bytes() == whole.read_bytes() != first.read_bytes()


def test_a_finished_guide_is_not_replaced_by_that_of_other_flags(tmp_path: Path) -> None:
    plan = quick_plan(wording_steps=1, guide_steps=1, steps=1, alone_steps=1, batch_size=4, report_every=1)
    stages: list[str] = []

    def run(plan: LearningPlan) -> list[str]:
        stages.clear()
        store, weights = opener(tmp_path / "pictures", 3), tmp_path / "weights.safetensors"
        learn(store, plan, weights, kept=tmp_path / "kept", report=lambda stage, step, losses: stages.append(stage))
        return [*stages]

    other = replace(plan, guide_rate=plan.guide_rate / 2)
    whole = ["wording", "guide", "pictures", "alone"]
    assert [run(plan), run(other)] == [whole, whole]
    assert [run(plan), run(other)] == [whole[2:], whole[2:]]
    (tmp_path / "kept" / "guide.safetensors").write_bytes(b"none")
    with pytest.raises(InputError, match=r"guide\.safetensors: is no guide of a pre-training \(.*\); remove it"):
        run(plan)


def test_an_interrupted_run_ends_as_one_without_a_break(tmp_path: Path) -> None:
    plan = quick_plan(wording_steps=1, guide_steps=2, steps=3, alone_steps=2, batch_size=4, report_every=1)
    stages: list[str] = []

    def run(plan: LearningPlan, weights: Path, kept: Path | None, until: int = 100) -> bytes:
        stages.clear()

        def report(stage: str, step: int, losses: dict[str, float]) -> None:
            stages.append(f"{stage} {step}")
            if len(stages) > until:
                raise KeyboardInterrupt

        learn(opener(tmp_path / "pictures", 3), plan, weights, kept=kept, report=report)
        return weights.read_bytes()

    whole = run(plan, tmp_path / "whole.safetensors", None)
    pictures, alone = ["pictures 1", "pictures 2", "pictures 3"], ["alone 1", "alone 2"]
    assert stages == ["wording 1", "guide 1", "guide 2", *pictures, *alone]
    weights, kept = tmp_path / "resumed.safetensors", tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=2)  # the guide's first step is kept, its second lost
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=2)  # the guide is kept, the first step after it lost
    assert stages == ["wording 1", "guide 2", "pictures 1"]
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=1)  # the first step is kept, the second lost
    assert stages == pictures[:2]
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=2)  # all of the stage is kept, and nothing of the last one
    assert stages == [*pictures[1:], *alone[:1]]
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=1)  # of the last stage, the first step is kept
    assert stages == alone
    progress = (kept / "progress.pt").read_bytes()
    for other in (replace(plan, seed=plan.seed + 1), replace(plan, steps=4), replace(plan, alone_steps=3)):
        with pytest.raises(InputError, match=r"progress\.pt: is how far an interrupted run with another \w+ has come"):
            run(other, weights, kept)
    with pytest.raises(InputError, match="another start_from has come"):
        learn(opener(tmp_path / "pictures", 3), plan, tmp_path / "b.safetensors", kept=kept, start_from=weights)
    assert (kept / "progress.pt").read_bytes() == progress
    stages[:] = []
    assert run(replace(plan, report_every=2), weights, kept) == whole  # how often is reported changes nothing
    assert stages == alone[1:]
    assert run(plan, weights, kept) == whole  # a run that has ended leaves nothing but its guide
    assert stages == [*pictures, *alone]
    run(replace(plan, guide_rate=1e-4), weights, kept)  # a kept guide of another plan does not serve
    assert stages[:3] == ["wording 1", "guide 1", "guide 2"]
