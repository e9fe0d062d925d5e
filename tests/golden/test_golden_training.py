"""Three training steps against the published implementation, and what it got wrong against our own definition."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.stages import batch_losses, golden_batch

from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.training.terms import LOSS_TERMS

STEPS = 3


@pytest.mark.parametrize("kind", ["twin", "pair"])
def test_three_steps(
    kind: str,
    golden_inputs: Path,
    golden_backbone: ClipBackbone,
    golden_learner: PromptLearner,
    golden_expected: Path,
) -> None:
    wanted = json.loads((golden_expected / f"train_{kind}.json").read_text())
    arrays = dict(np.load(golden_expected / f"train_{kind}.npz"))
    batch = golden_batch(golden_backbone, golden_inputs / "data", wanted["samples"])
    optimizer = torch.optim.Adam(golden_learner.learned_parameters(), lr=0.001, betas=(0.5, 0.999))
    for step in range(1, STEPS + 1):
        losses = batch_losses(batch, golden_learner(golden_backbone.text))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        expected_losses = wanted["losses"][step - 1] | {
            "d3_global_loss": wanted["losses"][step - 1]["d3_global_correct"]
        }
        for term in LOSS_TERMS:
            assert losses[term].item() == pytest.approx(expected_losses[term], rel=2e-5), (step, term)
        if step == 1:  # later gradients contain the float16 steps of the earlier ones
            _check_gradients(golden_learner, arrays)
        optimizer.step()
        _check_entries(golden_learner, arrays, step)


def _check_gradients(learner: PromptLearner, arrays: dict[str, np.ndarray]) -> None:
    """Every gradient within two ten-thousandths of the largest."""
    gradients = {name: parameter.grad for name, parameter in learner.named_parameters() if parameter.requires_grad}
    expected = {name: arrays[f"step1/grad/{name}"] for name in gradients}
    assert {f"step1/grad/{name}" for name in gradients} == {name for name in arrays if name.startswith("step1/grad/")}
    largest = max(np.abs(each).max() for each in expected.values())
    for name, gradient in gradients.items():
        assert gradient is not None
        np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=2e-4 * largest, err_msg=name)


def _check_entries(learner: PromptLearner, arrays: dict[str, np.ndarray], step: int) -> None:
    """All entries of the checkpoint after a step; a vanishing gradient may turn Adam's first step round."""
    prefix = f"epoch{step}/"
    state = learner.state_dict()
    errors = [
        np.abs(state[name.removeprefix(prefix)].numpy() - entry).ravel()
        for name, entry in arrays.items()
        if name.startswith(prefix)
    ]
    assert np.quantile(np.concatenate(errors), 0.999) <= 1e-5


def test_batch_is_the_mean_of_its_samples(
    golden_inputs: Path, golden_backbone: ClipBackbone, golden_learner: PromptLearner
) -> None:
    names = ["cookie/good/000", "cookie/hole/000", "bagel/contamination/001"]
    batch = golden_batch(golden_backbone, golden_inputs / "data", names)
    text_features = golden_learner(golden_backbone.text)
    whole = batch_losses(batch, text_features)
    parts = [batch_losses(batch.part(index), text_features) for index in range(len(names))]
    for term in LOSS_TERMS:
        mean = np.mean([part[term].item() for part in parts])
        assert whole[term].item() == pytest.approx(mean, rel=1e-5), term


def test_gradients_reach_only_the_prompts(
    golden_inputs: Path, golden_backbone: ClipBackbone, golden_learner: PromptLearner
) -> None:
    batch = golden_batch(golden_backbone, golden_inputs / "data", ["cookie/hole/001"])
    sum(batch_losses(batch, golden_learner(golden_backbone.text)).values()).backward()
    assert all(parameter.grad is None for parameter in golden_backbone.parameters())
    touched = {name for name, parameter in golden_learner.named_parameters() if parameter.grad is not None}
    assert touched == {"ctx_pos", "ctx_neg", *(f"compound_prompts_text.{index}" for index in range(8))}
