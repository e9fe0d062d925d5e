"""The guide's features keep their places, and the image encoder is measured against them as it should be."""

import torch
import torch.nn.functional as F

from pretraining.guidance import TokenReaders, guidance_losses
from pretraining.guide import COARSE_CHANNELS, FINE_CELLS, FINE_CHANNELS, Guidance, Guide
from pretraining.marks import KINDS
from pretraining.picture_features import PictureFeatures

PICTURES, PATCHES, DIMENSIONS, WIDTH = 3, 16, 32, 24


def test_features_have_their_shapes_and_places() -> None:
    torch.manual_seed(0)
    guide = Guide(DIMENSIONS).eval()
    picture = torch.zeros(1, 3, 128, 128)
    spot = picture.clone()
    spot[..., 43:45, 83:85] = 5.0  # row 2, column 5 of 8 x 8 patches, second cell down and first to the right
    with torch.no_grad():
        empty, seen = guide(picture, 8), guide(spot, 8)
    assert seen.global_features.shape == (1, DIMENSIONS)
    assert seen.patch_features.shape == (1, 64, DIMENSIONS)
    assert seen.kind_logits.shape == (1, 64, 1 + len(KINDS))
    assert seen.coarse.shape == (1, 64, COARSE_CHANNELS)
    assert seen.fine.shape == (1, 64, FINE_CHANNELS * FINE_CELLS**2)
    change = (seen.fine - empty.fine).abs().unflatten(2, (FINE_CHANNELS, FINE_CELLS**2)).sum(dim=(0, 2))
    assert change.sum(dim=1).argmax() == 2 * 8 + 5
    assert change[2 * 8 + 5].argmax() == FINE_CELLS


def test_a_frozen_guide_says_the_same() -> None:
    torch.manual_seed(0)
    guide = Guide(DIMENSIONS)
    pictures = torch.rand(6, 3, 96, 96)
    for _ in range(3):  # so that the normalizations have something to say
        guide(pictures, 6)
    guide.eval()
    with torch.no_grad():
        before = guide(pictures, 6)
        guide.freeze()
        after = guide(pictures, 6)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in guide.modules())
    for name, value in vars(before).items():
        similarity = F.cosine_similarity(value.flatten(), getattr(after, name).flatten(), dim=0)
        assert similarity > 0.999, name


def features_like(guidance: Guidance) -> PictureFeatures:
    generator = torch.Generator().manual_seed(5)
    tokens = tuple(torch.randn(PICTURES, PATCHES, WIDTH, generator=generator) for _ in range(3))
    return PictureFeatures(guidance.global_features, guidance.patch_features[:, None], tokens)


def random_guidance(seed: int) -> Guidance:
    generator = torch.Generator().manual_seed(seed)
    shapes = (
        (PICTURES, DIMENSIONS),
        (PICTURES, PATCHES, DIMENSIONS),
        (PICTURES, PATCHES, 1 + len(KINDS)),
        (PICTURES, PATCHES, FINE_CHANNELS * FINE_CELLS**2),
        (PICTURES, PATCHES, COARSE_CHANNELS),
    )
    return Guidance(*(torch.randn(shape, generator=generator) for shape in shapes))


def test_who_says_the_same_as_the_guide_has_nothing_to_learn_from_it() -> None:
    states = F.normalize(torch.randn(2 + len(KINDS), DIMENSIONS, generator=torch.Generator().manual_seed(1)), dim=-1)
    readers = TokenReaders(WIDTH)
    guidance = random_guidance(2)
    same = guidance_losses(features_like(guidance), guidance, states, readers)
    for term in (same.direction, same.states, same.whole):
        assert abs(float(term)) < 1e-5
    other = guidance_losses(features_like(random_guidance(3)), guidance, states, readers)
    assert float(other.direction) > 0.5
    assert float(other.states) > 0.1
    assert float(other.whole) > 0.5


def test_readers_that_read_the_guides_features_have_nothing_left() -> None:
    states = torch.eye(2 + len(KINDS), DIMENSIONS)
    guidance = random_guidance(4)
    features = features_like(guidance)
    readers = TokenReaders(WIDTH)
    before = guidance_losses(features, guidance, states, readers).tokens
    for reader, tokens, goal in zip(
        readers.maps, features.tokens, (guidance.fine, guidance.coarse, guidance.coarse), strict=True
    ):
        # The best linear map, by least squares.
        wanted = ((goal - goal.mean(dim=(0, 1))) / goal.std(dim=(0, 1))).flatten(0, 1)
        rows = torch.cat([tokens.flatten(0, 1), torch.ones(PICTURES * PATCHES, 1)], dim=1)
        solution = torch.linalg.lstsq(rows, wanted).solution
        with torch.no_grad():
            reader.weight.copy_(solution[:-1].T)
            reader.bias.copy_(solution[-1])
    after = guidance_losses(features, guidance, states, readers).tokens
    assert after < 0.7 * before
    after.backward()
    assert all(parameter.grad is not None for parameter in readers.parameters())
