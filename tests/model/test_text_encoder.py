"""The text encoder with learned tokens inside, against plain CLIP and against its definition."""

import pytest
import torch
from open_clip import CLIP, CustomTextCLIP
from small_clip import CONFIGURATION, small_clip
from torch import Tensor

from pointad.model.text import TextTower, encode_prompts, encode_token_ids

WIDTH = 16


@pytest.fixture
def model() -> CLIP:
    return small_clip().requires_grad_(False)


@pytest.fixture
def token_ids() -> Tensor:
    token_ids = torch.zeros(2, 77, dtype=torch.long)
    token_ids[0, :5] = torch.tensor([49406, 343, 320, 1125, 49407])
    token_ids[1, :6] = torch.tensor([49406, 343, 320, 1125, 269, 49407])
    return token_ids


def deep_tokens(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(2, WIDTH, generator=generator).requires_grad_() for _ in range(count)]


def test_without_deep_tokens_it_is_plain_clip(model: CLIP, token_ids: Tensor) -> None:
    features = encode_token_ids(TextTower(model), token_ids)
    torch.testing.assert_close(features, model.encode_text(token_ids), rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 3])
def test_deep_tokens_replace_positions_before_their_blocks(model: CLIP, token_ids: Tensor, count: int) -> None:
    tower, tokens = TextTower(model), deep_tokens(count)
    prompts = model.token_embedding(token_ids)
    features = encode_prompts(tower, prompts, token_ids, tokens)

    hidden = prompts + model.positional_embedding
    for index, block in enumerate(model.transformer.resblocks):
        if index > 0 and index <= count:
            hidden = hidden.clone()
            for prompt in range(2):
                hidden[prompt, 1:3] = tokens[index - 1].half().float()
        hidden = block(hidden, attn_mask=model.attn_mask)
    ends = torch.stack([hidden[0, 4], hidden[1, 5]])
    torch.testing.assert_close(features, model.ln_final(ends) @ model.text_projection, rtol=0, atol=1e-6)


def test_deep_tokens_and_their_gradients_pass_through_float16(model: CLIP, token_ids: Tensor) -> None:
    tokens = deep_tokens(2)
    prompts = model.token_embedding(token_ids)
    encode_prompts(TextTower(model), prompts, token_ids, tokens)[:1].sum().backward()
    for each in tokens:
        assert each.grad is not None and each.grad.abs().sum() > 0
        # Only one prompt counted in the sum, so its rounded gradient is all there is.
        torch.testing.assert_close(each.grad, each.grad.half().float(), rtol=0, atol=0)
    features = encode_prompts(TextTower(model), prompts, token_ids, tokens)
    rounded = encode_prompts(TextTower(model), prompts, token_ids, [each.half().float() for each in tokens])
    torch.testing.assert_close(features, rounded, rtol=0, atol=0)


def test_tower_of_a_model_that_keeps_its_text_apart(token_ids: Tensor) -> None:
    model = CustomTextCLIP(**CONFIGURATION).eval()
    features = encode_token_ids(TextTower(model.text), token_ids)
    torch.testing.assert_close(features, model.encode_text(token_ids), rtol=0, atol=1e-6)
