"""EVA02-CLIP: the original path is timm's own, the local path agrees with a naive twin, and prompts learn on it."""

import math
from pathlib import Path

import pytest
import torch
from open_clip.timm_model import TimmModel
from timm.models.eva import Eva
from torch import Tensor, nn

from pointad.errors import InputError
from pointad.model import towers
from pointad.model.architecture import build, named_configuration
from pointad.model.backbone import load_backbone
from pointad.model.eva import encode_eva_images
from pointad.model.prompt_learner import PromptLearner
from pointad.model.vision import doubled_block_count

SIDE, PATCH, DEPTH, WIDTH, HEADS, JOINT = 56, 14, 5, 32, 4, 24


@pytest.fixture(scope="module")
def visual() -> TimmModel:
    """A small trunk with all that the published ones have: rotary positions, SwiGLU, norms inside attention and MLP."""
    torch.manual_seed(0)
    model = TimmModel("eva02_tiny_patch14_224", JOINT, image_size=SIDE, pool="token", proj=None)  # type: ignore[arg-type]
    model.trunk = Eva(
        img_size=SIDE,
        patch_size=PATCH,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        mlp_ratio=4 * 2 / 3,
        qkv_fused=False,
        swiglu_mlp=True,
        scale_mlp=True,
        scale_attn_inner=True,
        use_rot_pos_emb=True,
        ref_feat_shape=(4, 4),
        global_pool="token",
        num_classes=JOINT,
    )
    for parameter in model.parameters():  # fresh ones are too tame to notice mistakes
        nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_original_path_is_the_model_itself(visual: TimmModel, images: Tensor) -> None:
    torch.testing.assert_close(encode_eva_images(visual, images).global_features, visual(images), rtol=0, atol=1e-6)


def naive_local_path(visual: TimmModel, image: Tensor, layer: int) -> list[list[float]]:
    """One picture, one head after the other, from the inputs of every block."""
    trunk = visual.trunk
    inputs: list[Tensor] = []
    hooks = [block.register_forward_pre_hook(lambda _, given: inputs.append(given[0])) for block in trunk.blocks]
    visual(image[None])
    for hook in hooks:
        hook.remove()
    first = DEPTH - doubled_block_count(DEPTH)
    local = inputs[first][0].clone()
    for number in range(first, layer):
        block = trunk.blocks[number]
        values = block.attn.v_proj(block.norm1(inputs[number]))[0]
        heads = []
        for head in values.split(WIDTH // HEADS, dim=1):
            weights = (head @ head.T / math.sqrt(WIDTH // HEADS)).softmax(dim=1)
            heads.append(weights @ head)
        local = local + block.attn.proj(block.attn.norm(torch.cat(heads, dim=1)))
    return trunk.head(trunk.fc_norm(trunk.norm(local[1:])))


@torch.no_grad()
@pytest.mark.parametrize("layer", [3, DEPTH])
def test_local_path_agrees_with_a_naive_twin(layer: int, visual: TimmModel, images: Tensor) -> None:
    found = encode_eva_images(visual, images, (layer,)).patch_features
    assert found.shape == (2, 1, (SIDE // PATCH) ** 2, JOINT)
    for picture in range(len(images)):
        expected = naive_local_path(visual, images[picture], layer)
        torch.testing.assert_close(found[picture, 0], expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_before_the_doubled_blocks_both_paths_are_one(visual: TimmModel, images: Tensor) -> None:
    tokens: list[Tensor] = []
    hook = visual.trunk.blocks[0].register_forward_hook(lambda *given: tokens.append(given[-1]))
    visual(images)
    hook.remove()
    trunk = visual.trunk
    expected = trunk.head(trunk.fc_norm(trunk.norm(tokens[0][:, 1:])))
    torch.testing.assert_close(encode_eva_images(visual, images, (1,)).patch_features[:, 0], expected)


def test_other_sides_are_refused(visual: TimmModel) -> None:
    with pytest.raises(InputError, match="choose --image_size 56"):
        encode_eva_images(visual, torch.zeros(1, 3, 70, 70))


def test_one_interface_for_all(visual: TimmModel, images: Tensor) -> None:
    described = (towers.patch_size(visual), towers.output_dim(visual), towers.depth(visual), towers.width(visual))
    assert described == (PATCH, JOINT, DEPTH, WIDTH)
    with torch.no_grad():
        torch.testing.assert_close(towers.encode_pictures(visual, images).global_features, visual(images))


@pytest.mark.slow
def test_a_published_model_from_a_file(tmp_path: Path) -> None:
    """Its rotary positions are in no file, so they must not be left without values."""
    torch.manual_seed(2)
    random = load_backbone("EVA02-B-16", "random")
    model = build(named_configuration("EVA02-B-16"))
    torch.save(model.state_dict(), tmp_path / "eva.pt")
    backbone = load_backbone("EVA02-B-16", tmp_path / "eva.pt")
    assert (random.image_size, random.patch_size, random.embedding_dim, random.depth) == (224, 16, 512, 12)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        features = backbone.encode_images(images, (6, 12))
        torch.testing.assert_close(features.global_features, model.eval().visual(images), rtol=0, atol=1e-5)
        assert features.patch_features.shape == (2, 2, 196, 512)
        texts = backbone.tokenizer(["a photo", "damaged object."])
        torch.testing.assert_close(backbone.encode_texts(["a photo", "damaged object."]), model.encode_text(texts))
        prompts = PromptLearner(backbone)(backbone.text)
    assert prompts.shape == (2, 512) and prompts.isfinite().all()
    with pytest.raises(InputError, match="EVA02-CLIP needs --clip_model"):
        load_backbone(weights=tmp_path / "eva.pt")
