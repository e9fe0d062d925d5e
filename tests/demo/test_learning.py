"""The pre-training runs, learns, writes what the project loads, and its short cuts compute what the long way does."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from pointad.demo.pretraining import learning
from pointad.demo.pretraining.batches import Batches
from pointad.demo.pretraining.learning import LearningPlan, encode_captions, learn, new_model
from pointad.demo.pretraining.patch_whitening import whiten_patches
from pointad.demo.pretraining.picture_store import make_store
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
    half = learning._computing_copy(model)
    assert half.state_dict().keys() == model.state_dict().keys()
    images = torch.rand(2, 3, 252, 252)
    full = encode_images(model.visual, images)
    rounded = encode_images(half.float().visual, images)
    similarity = torch.cosine_similarity(full.patch_features, rounded.patch_features, dim=-1)
    assert similarity.min() > 0.99
    assert torch.cosine_similarity(full.global_features, rounded.global_features).min() > 0.99


def test_whitened_patches_spread_evenly_around_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path, objects=20, seed=2, workers=1)
    mean, std = learning._normalization()
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


def test_the_learning_rate_rises_and_falls() -> None:
    plan = LearningPlan(steps=100)
    rates = [learning._learning_rate(step, plan) for step in range(100)]
    assert max(rates) == pytest.approx(plan.learning_rate)
    assert rates[0] < rates[2] < rates[4]
    assert rates[10] > rates[50] > rates[99] > 0


def test_a_short_run_learns_and_writes_a_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path / "pictures", objects=4, seed=1, workers=1)
    reports: list[tuple[int, dict[str, float]]] = []
    weights = tmp_path / f"{backbone_module.DEMO_NAME}.safetensors"
    plan = LearningPlan(steps=16, batch_size=6, save_every=4, cropped_steps=0.75, learning_rate=2e-3, wording_steps=4)
    learn(store, plan, weights, report=lambda step, losses: reports.append((step, losses)))
    assert [step for step, _ in reports] == [4, 8, 12, 16]
    assert reports[-1][1]["patch_map"] < reports[0][1]["patch_map"]
    monkeypatch.setattr(backbone_module, "CHECKPOINT_FOLDER", tmp_path)
    backbone = load_backbone(weights="demo")
    assert backbone.is_demo
    assert backbone.text.depth >= 9  # learned prompts reach into nine blocks
    # Going on from there starts with what was reached.
    again = tmp_path / "again.safetensors"
    learn(store, LearningPlan(steps=1, batch_size=6, learning_rate=1e-9), again, start_from=weights)
    state, continued = (backbone_module.read_weights(path).state for path in (weights, again))
    for name, entry in state.items():
        torch.testing.assert_close(continued[name], entry, atol=1e-4, rtol=1e-3)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    store = make_store(tmp_path / "pictures", objects=3, seed=1, workers=1)
    for name in ("a", "b"):
        learn(store, LearningPlan(steps=2, batch_size=4, wording_steps=2), tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
