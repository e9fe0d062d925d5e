"""SigLIP: both encoders are open_clip's and transformers', the local path agrees with a naive twin, prompts learn."""

import math
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from torch import Tensor

pytest.importorskip("sentencepiece", reason="requirements-siglip.txt is not installed")
pytest.importorskip("tokenizers", reason="requirements-siglip.txt is not installed")

from small_siglip import (
    CONTEXT,
    DEPTH,
    HEADS,
    PATCH,
    REFERENCES,
    SIDE,
    TEXT_DEPTH,
    TEXT_WIDTH,
    TEXTS,
    WIDTH,
    open_clip_siglip,
    pictures,
    sentencepiece_model,
    tokenizer_json,
    write_hugging_face_folder,
    write_open_clip_folder,
)

from pointad.errors import InputError
from pointad.model import towers
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompt_learner, save_prompts
from pointad.model.prompt_learner import PromptLearner
from pointad.model.siglip import SiglipVision, encode_siglip_images
from pointad.model.text import encode_prompts
from pointad.model.vision import doubled_block_count


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("siglip")
    write_open_clip_folder(root / "open_clip")
    write_hugging_face_folder(root / "hugging_face")
    return {folder.name: folder for folder in root.iterdir()}


@pytest.fixture(scope="module")
def backbone(folders: dict[str, Path]) -> ClipBackbone:
    return load_backbone(weights=folders["open_clip"])


@torch.no_grad()
def test_open_clip_folder_gives_the_features_of_open_clip(backbone: ClipBackbone) -> None:
    theirs = open_clip_siglip()
    found = backbone.encode_images(pictures()).global_features
    torch.testing.assert_close(found, theirs.encode_image(pictures()), rtol=0, atol=1e-5)
    torch.testing.assert_close(backbone.vision(pictures()), found, rtol=0, atol=1e-5)
    expected = theirs.encode_text(backbone.tokenizer(TEXTS))
    torch.testing.assert_close(backbone.encode_texts(TEXTS), expected, rtol=0, atol=1e-5)
    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)


@torch.no_grad()
def test_hugging_face_folder_gives_the_features_of_transformers(folders: dict[str, Path]) -> None:
    backbone = load_backbone(weights=folders["hugging_face"])
    with np.load(REFERENCES) as stored:
        assert backbone.tokenizer(TEXTS).tolist() == stored["token_ids"].tolist()
        found = backbone.encode_images(pictures()).global_features
        torch.testing.assert_close(found, torch.from_numpy(stored["pictures"]), rtol=0, atol=1e-5)
        torch.testing.assert_close(backbone.encode_texts(TEXTS), torch.from_numpy(stored["texts"]), rtol=0, atol=1e-5)
    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)


def naive_local_path(visual: SiglipVision, image: Tensor, layer: int) -> Tensor:
    """One picture, one head and one patch after the other, from the inputs of every block."""
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
        values = block.attn.qkv(block.norm1(inputs[number]))[0].chunk(3, dim=1)[2]
        heads = []
        for head in values.split(WIDTH // HEADS, dim=1):
            weights = (head @ head.T / math.sqrt(WIDTH // HEADS)).softmax(dim=1)
            heads.append(weights @ head)
        local = local + block.attn.proj(torch.cat(heads, dim=1))
    return torch.cat([trunk.attn_pool(trunk.norm(patch)[None, None]) for patch in local])


@torch.no_grad()
@pytest.mark.parametrize("layer", [2, DEPTH])
def test_local_path_agrees_with_a_naive_twin(layer: int, backbone: ClipBackbone) -> None:
    found = backbone.encode_images(pictures(), (layer,)).patch_features
    assert found.shape == (2, 1, (SIDE // PATCH) ** 2, WIDTH)
    for picture, patches in zip(pictures(), found[:, 0], strict=True):
        expected = naive_local_path(backbone.vision, picture, layer)  # type: ignore[arg-type]
        torch.testing.assert_close(patches, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_other_sides_interpolate_the_positions(backbone: ClipBackbone) -> None:
    larger = torch.randn(1, 3, 2 * SIDE, 2 * SIDE)
    before = backbone.vision.trunk.pos_embed.clone()
    assert backbone.encode_images(larger).patch_features.shape == (1, 1, 4 * (SIDE // PATCH) ** 2, WIDTH)
    assert torch.equal(backbone.vision.trunk.pos_embed, before)
    with pytest.raises(InputError, match=r"not a multiple of .* patch size 8 × 8; choose, for example, 40"):
        encode_siglip_images(backbone.vision, torch.zeros(1, 3, SIDE + 1, SIDE + 1))  # type: ignore[arg-type]


def test_one_interface_for_all(backbone: ClipBackbone) -> None:
    visual = backbone.vision
    described = (towers.patch_size(visual), towers.output_dim(visual), towers.depth(visual), towers.width(visual))
    assert described == (PATCH, WIDTH, DEPTH, WIDTH) and backbone.image_size == SIDE
    assert len(backbone.fingerprint) == 64


def test_the_tokenizer_counts_in_the_fingerprint_but_not_its_kind_of_file(
    backbone: ClipBackbone, folders: dict[str, Path], tmp_path: Path
) -> None:
    prints = []
    for name, model in (("same", sentencepiece_model()), ("other", sentencepiece_model(model_type="bpe"))):
        shutil.copytree(folders["open_clip"], tmp_path / name)
        (tmp_path / name / "tokenizer.json").unlink()
        (tmp_path / name / "spiece.model").write_bytes(model)
        prints.append(load_backbone(weights=tmp_path / name).fingerprint)
    assert prints[0] == backbone.fingerprint != prints[1]


@torch.no_grad()
def test_learned_tokens_come_first_and_the_last_position_is_read_out(backbone: ClipBackbone) -> None:
    learner = PromptLearner(backbone, context_tokens=6, deep_tokens=3, depth=3)
    words = backbone.tokenizer.encode("damaged object")
    ids = learner.tokenized_prompts_neg.flatten().tolist()
    end = backbone.tokenizer.end_id  # type: ignore[union-attr]
    assert ids[6:] == [*words, *[end] * (CONTEXT - 6 - len(words))]
    assert learner.says(backbone, "object") and not learner.says(backbone, "gear")
    assert learner.token_prefix_neg.shape == (1, 1, 0, TEXT_WIDTH)
    assert learner.token_suffix_neg.shape == (1, 1, CONTEXT - 6, TEXT_WIDTH)

    text = open_clip_siglip().text
    hidden = text.token_embedding(torch.tensor([ids])) + text.positional_embedding
    hidden[:, :6] = learner.ctx_neg[0] + text.positional_embedding[:6]
    for number, block in enumerate(text.transformer.resblocks):
        if number in (1, 2):
            hidden[:, :3] = learner.compound_prompts_text[number - 1].half().float()
        hidden = block(hidden)
    expected = text.text_projection(text.ln_final(hidden[:, -1]))
    torch.testing.assert_close(learner.raw_text_features(backbone.text)[1:], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(learner.raw_text_features(backbone.text, learner.prompt_length())[1:], expected)


def test_padding_counts_and_gradients_reach_all_learned_tokens(backbone: ClipBackbone) -> None:
    learner = PromptLearner(backbone, context_tokens=4, depth=TEXT_DEPTH)
    learner(backbone.text)[0].sum().backward()
    for name, parameter in learner.named_parameters():
        if parameter.requires_grad and name != "ctx_neg":
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    prompts, ids = (each.detach() for each in learner.embeddings())
    changed = prompts.clone()
    changed[:, -2, 0] += 1  # padding
    with torch.no_grad():
        pair = [encode_prompts(backbone.text, each, ids) for each in (prompts, changed)]
    assert not torch.allclose(*pair)


def test_prompts_are_stored_and_another_siglip_is_noticed(
    backbone: ClipBackbone, folders: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learner = PromptLearner(backbone, context_tokens=4, depth=2)
    save_prompts(learner, tmp_path / "prompts.pth")
    found = load_prompt_learner(tmp_path / "prompts.pth", backbone)
    assert torch.equal(found(backbone.text), learner(backbone.text)) and not caplog.text
    load_prompt_learner(tmp_path / "prompts.pth", load_backbone(weights=folders["hugging_face"]))
    assert "was trained with CLIP weights other than" in caplog.text


def test_prompts_that_do_not_fit(backbone: ClipBackbone) -> None:
    with pytest.raises(InputError, match="out of range") as refused:
        PromptLearner(backbone, context_tokens=CONTEXT - 1, depth=2)
    most = int(refused.value.remedy.rsplit(maxsplit=1)[1])
    assert PromptLearner(backbone, context_tokens=most, depth=2).context_tokens == most
    with pytest.raises(InputError, match="tokens that learned ones can replace in deeper blocks; learn fewer"):
        PromptLearner(backbone, context_tokens=1, deep_tokens=CONTEXT - 1, depth=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ViT-B-16-SigLIP", "ViT-B-32-SigLIP2-256"])
def test_a_published_architecture(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_clip.create_model(name).eval()
    torch.save(model.state_dict(), tmp_path / "open_clip_pytorch_model.bin")
    words = model.text.token_embedding.num_embeddings
    vocabulary = 64  # a tokenizer of the right size cannot be made up here
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(sentencepiece_model()))
    monkeypatch.setattr("pointad.model.siglip_tokenizer._SPARE_ENTRIES", words - vocabulary)
    backbone = load_backbone(name, tmp_path)
    assert backbone.image_size == model.visual.image_size[0]
    images = torch.randn(1, 3, backbone.image_size, backbone.image_size)
    with torch.no_grad():
        torch.testing.assert_close(
            backbone.encode_images(images).global_features, model.encode_image(images), atol=1e-5, rtol=0
        )
        torch.testing.assert_close(
            backbone.encode_texts(TEXTS), model.encode_text(backbone.tokenizer(TEXTS)), atol=1e-5, rtol=0
        )
