"""The pre-training runs, learns, writes what the project loads, and its short cuts compute what the long way does."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from pointad.demo.pretraining.batches import Batches
from pointad.demo.pretraining.first_filters import random_filters, set_first_filters
from pointad.demo.pretraining.learning import (
    CONFIGURATION,
    LearningPlan,
    encode_captions,
    learn,
    new_model,
    normalization,
)
from pointad.demo.pretraining.patch_whitening import whiten_patches
from pointad.demo.pretraining.picture_features import picture_features
from pointad.demo.pretraining.picture_store import make_store
from pointad.demo.pretraining.steps import computing_copy, make_optimizer, rate_at, take_step
from pointad.model import backbone as backbone_module
from pointad.model.backbone import load_backbone
from pointad.model.vision import encode_images


@pytest.fixture(scope="module")
def model() -> open_clip.CLIP:
    return new_model(0).eval().requires_grad_(False)


def test_captions_without_padding_give_the_features_of_whole_texts(model: open_clip.CLIP) -> None:
    texts = ["a flat ring with a lump.", "X X X this is a domed oval, seen from above, with a plain surface."]
    token_ids = open_clip.SimpleTokenizer()(texts)
    torch.testing.assert_close(encode_captions(model, token_ids), model.encode_text(token_ids), atol=1e-5, rtol=1e-4)


def test_the_computing_copy_differs_by_its_precision_only(model: open_clip.CLIP) -> None:
    half = computing_copy(model)
    assert half.state_dict().keys() == model.state_dict().keys()
    images = torch.rand(2, 3, 252, 252)
    full = encode_images(model.visual, images)
    rounded = encode_images(half.float().visual, images)
    similarity = torch.cosine_similarity(full.patch_features, rounded.patch_features, dim=-1)
    assert similarity.min() > 0.99
    assert torch.cosine_similarity(full.global_features, rounded.global_features).min() > 0.99


def test_features_for_learning_are_those_of_the_method(model: open_clip.CLIP) -> None:
    images = torch.rand(2, 3, 336, 336, generator=torch.Generator().manual_seed(3))
    learned = picture_features(model.visual, images, blocks=(1, 4, 6), token_blocks=(2,))
    expected = encode_images(model.visual, images, (1, 4, 6))
    torch.testing.assert_close(learned.global_features, expected.global_features, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(learned.patch_features, expected.patch_features, atol=1e-5, rtol=1e-4)
    assert [tokens.shape for tokens in learned.tokens] == [(2, 256, 192)]


def test_cut_outs_keep_their_places_in_the_grid(model: open_clip.CLIP) -> None:
    """A cut-out whose tokens see each other alone is not the whole picture, but before any attention it is a part."""
    side = CONFIGURATION["vision_cfg"]["patch_size"]
    images = torch.rand(1, 3, 336, 336, generator=torch.Generator().manual_seed(4))
    visual = copy.deepcopy(model.visual)
    for block in visual.transformer.resblocks:  # without attention every patch stands alone
        torch.nn.init.zeros_(block.attn.out_proj.weight)
        torch.nn.init.zeros_(block.attn.out_proj.bias)
    whole = picture_features(visual, images, blocks=(6,)).patch_features.unflatten(2, (16, 16))
    cut = images[..., 2 * side : 5 * side, 7 * side : 10 * side]
    part = picture_features(visual, cut, corner=(2, 7), blocks=(6,)).patch_features.unflatten(2, (3, 3))
    torch.testing.assert_close(part, whole[:, :, 2:5, 7:10], atol=1e-5, rtol=1e-4)
    elsewhere = picture_features(visual, cut, corner=(0, 0), blocks=(6,)).patch_features.unflatten(2, (3, 3))
    assert (elsewhere - part).abs().max() > 1e-3


def test_whitened_patches_spread_evenly_around_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path, objects=20, seed=2, workers=1)
    mean, std = normalization()
    pictures = (Batches(store, 48, np.random.default_rng(5)).draw().images - mean) / std
    conditions, visual = [], new_model(1).visual
    for whitened in (False, True):
        before = visual.positional_embedding.detach().clone()
        if whitened:
            whiten_patches(visual, store, mean, std, seed=0)
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
    mean, std = normalization()
    pictures = (Batches(store, 16, np.random.default_rng(5)).draw(126).images - mean) / std
    before = visual.transformer.resblocks[0].mlp.c_fc.weight.detach().clone()
    whiten_patches(visual, store, mean, std, seed=0)
    set_first_filters(visual, pictures, seed=0)
    first = visual.transformer.resblocks[0]
    assert not torch.equal(first.mlp.c_fc.weight, before)
    side = visual.conv1.kernel_size[0]
    even = torch.full((1, 3, side, side), 0.6)
    edge = even.clone()
    edge[..., side // 2 :] -= 0.4
    with torch.no_grad():
        answers = [
            first.mlp.c_fc(first.ln_2(visual.ln_pre(token + visual.positional_embedding[1:].mean(dim=0))))
            for token in (visual.conv1((patch - mean) / std).flatten(1) for patch in (even, edge))
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
        take_step(make_optimizer([("filters", parameter)], 0.1, 0.0, {}), [parameter], [parameter], processes=1)
        after.append(parameter.detach())
    assert (after[0] - start).abs().min() > 0.05
    torch.testing.assert_close(after[0], after[1])


def test_a_short_run_learns_and_writes_a_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path / "pictures", objects=4, seed=1, workers=1)
    reports: list[tuple[str, int, dict[str, float]]] = []
    weights = tmp_path / f"{backbone_module.DEMO_NAME}.safetensors"
    plan = LearningPlan(wording_steps=32, guide_steps=24, steps=24, batch_size=12, report_every=8)
    learn(store, plan, weights, report=lambda *row: reports.append(row))
    stages = [(stage, step) for stage, step, _ in reports]
    assert stages == [
        *(("wording", step) for step in (8, 16, 24, 32)),
        *(("guide", step) for step in (8, 16, 24)),
        *(("pictures", step) for step in (8, 16, 24)),
    ]
    losses = {(stage, step): losses for stage, step, losses in reports}
    assert losses["wording", 32]["wording"] < losses["wording", 8]["wording"]
    assert losses["guide", 24]["patch_map"] < losses["guide", 8]["patch_map"]
    assert losses["pictures", 16]["tokens"] < losses["pictures", 8]["tokens"]
    assert losses["pictures", 16]["patch_map"] < losses["pictures", 8]["patch_map"]
    monkeypatch.setattr(backbone_module, "CHECKPOINT_FOLDER", tmp_path)
    backbone = load_backbone(weights="demo")
    assert backbone.is_demo
    assert backbone.text.depth >= 9  # learned prompts reach into nine blocks


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    store = make_store(tmp_path / "pictures", objects=3, seed=1, workers=1)
    plan = LearningPlan(wording_steps=1, guide_steps=1, steps=2, batch_size=4)
    for name in ("a", "b"):
        learn(store, plan, tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_an_interrupted_run_ends_as_one_without_a_break(tmp_path: Path) -> None:
    store = make_store(tmp_path / "pictures", objects=3, seed=1, workers=1)
    plan = LearningPlan(wording_steps=1, guide_steps=2, steps=3, batch_size=4, report_every=1)
    stages: list[str] = []

    def run(plan: LearningPlan, weights: Path, kept: Path | None, until: int = 100) -> bytes:
        stages.clear()

        def report(stage: str, step: int, losses: dict[str, float]) -> None:
            stages.append(f"{stage} {step}")
            if len(stages) > until:
                raise KeyboardInterrupt

        learn(store, plan, weights, kept=kept, report=report)
        return weights.read_bytes()

    whole = run(plan, tmp_path / "whole.safetensors", None)
    assert stages == ["wording 1", "guide 1", "guide 2", "pictures 1", "pictures 2", "pictures 3"]
    weights, kept = tmp_path / "resumed.safetensors", tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=2)  # the guide's first step is kept, its second lost
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=2)  # the guide is kept, the first step after it lost
    assert stages == ["wording 1", "guide 2", "pictures 1"]
    with pytest.raises(KeyboardInterrupt):
        run(plan, weights, kept, until=1)  # the first step is kept, the second lost
    assert stages == ["pictures 1", "pictures 2"]
    assert run(plan, weights, kept) == whole
    assert stages == ["pictures 2", "pictures 3"]
    assert run(plan, weights, kept) == whole  # a run that has ended leaves nothing but its guide
    assert stages == ["pictures 1", "pictures 2", "pictures 3"]
    run(replace(plan, guide_rate=1e-4), weights, kept)  # a kept guide of another plan does not serve
    assert stages[:3] == ["wording 1", "guide 1", "guide 2"]
