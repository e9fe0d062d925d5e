"""Fresh prompts: their shapes, what they say, and what moves them."""

import pytest
import torch

from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import INITIAL_SPREAD, PromptLearner
from pointad.model.text import encode_prompts


def test_default_shapes(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone)
    shapes = {name: tuple(entry.shape) for name, entry in learner.state_dict().items()}
    expected = {"ctx_pos": (1, 1, 12, 64), "ctx_neg": (1, 1, 12, 64)}
    for index in range(8):
        expected[f"compound_prompts_text.{index}"] = (4, 64)
        expected[f"compound_prompt_projections.{index}.weight"] = (896, 64)
        expected[f"compound_prompt_projections.{index}.bias"] = (896,)
    for side in ("pos", "neg"):
        expected[f"token_prefix_{side}"] = (1, 1, 1, 64)
        expected[f"token_suffix_{side}"] = (1, 1, 64, 64)
        expected[f"tokenized_prompts_{side}"] = (1, 1, 77)
    assert shapes == expected
    assert (learner.context_tokens, learner.deep_tokens, learner.depth) == (12, 4, 9)


def test_what_the_prompts_say(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone, context_tokens=2, object_name="cable gland")
    tokenizer = golden_backbone.tokenizer
    for token_ids, words in (
        (learner.tokenized_prompts_pos, "x x cable gland ."),
        (learner.tokenized_prompts_neg, "x x damaged cable gland ."),
    ):
        start, *spoken, end = [int(token) for token in token_ids.flatten() if token]
        assert (start, end) == (tokenizer.sot_token_id, tokenizer.eot_token_id)
        assert tokenizer.decode(spoken).split() == words.split()
    before = learner.ctx_pos.clone()
    learner.name_object(golden_backbone, "tire")
    assert "tire" in tokenizer.decode([int(token) for token in learner.tokenized_prompts_neg.flatten() if token])
    assert torch.equal(learner.ctx_pos, before)
    assert len(learner.state_dict()) == len(PromptLearner(golden_backbone).state_dict())


def test_fresh_tokens(golden_backbone: ClipBackbone) -> None:
    draws = [PromptLearner(golden_backbone, generator=torch.Generator().manual_seed(seed)) for seed in (111, 111, 112)]
    assert all(torch.equal(a, b) for a, b in zip(draws[0].parameters(), draws[1].parameters(), strict=True))
    assert not torch.equal(draws[0].ctx_pos, draws[2].ctx_pos)
    tokens = torch.cat([each.flatten() for each in draws[0].learned_parameters()])
    assert tokens.numel() == 2 * 12 * 64 + 8 * 4 * 64
    assert tokens.std().item() == pytest.approx(INITIAL_SPREAD, rel=0.05)
    assert tokens.mean().abs().item() < 0.002


def test_depth_one_has_no_tokens_inside_the_text_encoder(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone, depth=1)
    assert not any("compound" in name for name in learner.state_dict())
    assert (learner.deep_tokens, learner.depth) == (0, 1)
    expected = encode_prompts(golden_backbone.text, *learner.embeddings())
    torch.testing.assert_close(learner.raw_text_features(golden_backbone.text), expected, rtol=0, atol=0)


def test_features_are_normalized_and_move_with_every_learned_token(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone)
    features = learner(golden_backbone.text)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(2))
    (features[0] @ features[1]).backward()
    assert all(parameter.grad is not None for parameter in learner.learned_parameters())
    assert all(parameter.grad is None for parameter in golden_backbone.parameters())


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({"depth": 0}, "depth 0: out of range"),
        ({"depth": 13}, "choose 1 to 12"),
        ({"context_tokens": 0}, "n_ctx 0"),
        ({"context_tokens": 73}, "choose 1 to 72"),
        ({"context_tokens": 80}, "choose 1 to 72"),
        ({"object_name": "nut " * 80}, "learn fewer tokens"),
        ({"deep_tokens": 0}, "t_n_ctx 0"),
        ({"deep_tokens": 30}, "learn fewer tokens"),
    ],
)
def test_counts_that_do_not_fit(counts: dict[str, int], problem: str, golden_backbone: ClipBackbone) -> None:
    with pytest.raises(InputError, match=problem):
        PromptLearner(golden_backbone, **counts)
