"""The two-path image encoder against its definition, written out head by head, and against plain CLIP."""

import math

import pytest
import torch
from open_clip.transformer import VisionTransformer
from small_clip import small_clip
from torch import Tensor

from pointad.errors import InputError
from pointad.model.vision import check_layers, doubled_block_count, encode_images, interpolate_positions

DEPTH = 5
DOUBLED = 4  # round(5 · 19 / 24)


@pytest.fixture
def visual() -> VisionTransformer:
    return small_clip().visual.requires_grad_(False)


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(5))


def attend(queries: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Attention (B, T, width) head by head, as the formula says it."""
    results = []
    for query, key, value in zip(*(each.chunk(heads, dim=-1) for each in (queries, keys, values)), strict=True):
        weights = (query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])).softmax(dim=-1)
        results.append(weights @ value)
    return torch.cat(results, dim=-1)


def naive_two_paths(visual: VisionTransformer, images: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """Global features and the patch features of every layer."""
    patches = visual.conv1(images).flatten(2).transpose(1, 2)
    tokens = torch.cat([visual.class_embedding.expand(len(images), 1, -1), patches], dim=1)
    original = visual.ln_pre(tokens + visual.positional_embedding)
    local, layers = original, {}
    for number, block in enumerate(visual.transformer.resblocks, start=1):
        attention = block.attn
        query, key, value = (
            block.ln_1(original) @ weight.T + bias
            for weight, bias in zip(attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3), strict=True)
        )
        if number > DEPTH - DOUBLED:
            local = local + block.ls_1(attention.out_proj(attend(value, value, value, attention.num_heads)))
        original = original + block.ls_1(attention.out_proj(attend(query, key, value, attention.num_heads)))
        original = original + block.ls_2(block.mlp(block.ln_2(original)))
        if number <= DEPTH - DOUBLED:
            local = original
        layers[number] = visual.ln_post(local[:, 1:]) @ visual.proj
    return visual.ln_post(original[:, 0]) @ visual.proj, layers


@pytest.mark.parametrize("layer_scale", [None, 0.5])
def test_agrees_with_the_definition(images: Tensor, layer_scale: float | None) -> None:
    visual = small_clip(ls_init_value=layer_scale).visual.requires_grad_(False)
    wanted = (5, 1, 3, 2)
    features = encode_images(visual, images, wanted)
    expected_global, expected_layers = naive_two_paths(visual, images)
    torch.testing.assert_close(features.global_features, expected_global, rtol=0, atol=2e-6)
    expected = torch.stack([expected_layers[layer] for layer in wanted], dim=1)
    assert features.patch_features.shape == (2, 4, 16, 24)
    torch.testing.assert_close(features.patch_features, expected, rtol=0, atol=2e-6)


def test_global_features_are_plain_clips(visual: VisionTransformer, images: Tensor) -> None:
    features = encode_images(visual, images)
    torch.testing.assert_close(features.global_features, visual(images), rtol=0, atol=1e-6)


def test_last_layer_is_the_default(visual: VisionTransformer, images: Tensor) -> None:
    features = encode_images(visual, images)
    torch.testing.assert_close(features.patch_features, encode_images(visual, images, [DEPTH]).patch_features)


def test_pictures_do_not_see_each_other(visual: VisionTransformer, images: Tensor) -> None:
    both, alone = encode_images(visual, images), encode_images(visual, images[1:])
    torch.testing.assert_close(both.patch_features[1:], alone.patch_features, rtol=0, atol=1e-6)
    torch.testing.assert_close(both.global_features[1:], alone.global_features, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("depth", "doubled"), [(24, 19), (12, 10), (32, 25), (5, DOUBLED), (1, 1)])
def test_number_of_doubled_blocks(depth: int, doubled: int) -> None:
    assert doubled_block_count(depth) == doubled


@pytest.mark.parametrize("size", [21, 42])
def test_other_sizes_leave_the_positions_alone(visual: VisionTransformer, size: int) -> None:
    before = visual.positional_embedding.clone()
    features = encode_images(visual, torch.randn(1, 3, size, size))
    assert features.patch_features.shape == (1, 1, (size // 7) ** 2, 24)
    torch.testing.assert_close(visual.positional_embedding, before, rtol=0, atol=0)


def test_positions_of_a_plane_stay_on_the_plane() -> None:
    """Bilinear interpolation reproduces a linear function away from the border."""
    row, column = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    positions = torch.cat([torch.full((1, 1), 99.0), (row + 10 * column).reshape(-1, 1)])
    larger = interpolate_positions(positions, (8, 8), (16, 16))
    assert larger[0].item() == 99
    centre = (torch.arange(16.0) + 0.5) / 2 - 0.5
    expected = centre[:, None] + 10 * centre[None]
    torch.testing.assert_close(larger[1:, 0].reshape(16, 16)[1:-1, 1:-1], expected[1:-1, 1:-1])


def test_gradients_reach_pictures_and_weights(images: Tensor) -> None:
    visual = small_clip().visual
    features = encode_images(visual, images.requires_grad_(), (2, 5))
    (features.patch_features.square().sum() + features.global_features.square().sum()).backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert all(parameter.grad is not None for parameter in visual.parameters())


@pytest.mark.parametrize("layers", [[], [0], [DEPTH + 1], [2, -1]])
def test_layers_that_do_not_exist(layers: list[int], visual: VisionTransformer, images: Tensor) -> None:
    with pytest.raises(InputError, match="blocks 1 to 5"):
        encode_images(visual, images, layers)


def test_no_block_counts_twice() -> None:
    with pytest.raises(InputError, match="layers 4 5 4: contain a block twice"):
        check_layers([4, 5, 4], DEPTH)


def test_size_that_does_not_fit_the_patches(visual: VisionTransformer) -> None:
    with pytest.raises(InputError, match="patch size 7 × 7; choose, for example, 28"):
        encode_images(visual, torch.zeros(1, 3, 30, 30))
