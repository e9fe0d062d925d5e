"""Weights and configurations that open_clip and transformers read in one way, and nobody may read in another."""

import json
import logging
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import save_file
from small_clip import CONFIGURATION, small_clip
from torch import Tensor

from pointad.errors import InputError
from pointad.model.backbone import load_backbone
from pointad.model.configuration_choice import choose_configuration
from pointad.model.hugging_face import FileConfiguration
from pointad.model.open_clip_configuration import OPTIONS, OpenClipConfiguration
from pointad.model.weights import WeightsFile


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return {name: entry for name, entry in small_clip().state_dict().items() if name != "attn_mask"}


def with_words(state: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    return {**state, "token_embedding.weight": torch.zeros(count, 16)}


def write_configuration(folder: Path, **change: Any) -> None:
    model = {name: {**part, **change.get(name, {})} for name, part in CONFIGURATION.items() if isinstance(part, dict)}
    content = {"model_cfg": {"embed_dim": 24, **model}, "preprocess_cfg": {"mean": [0.1, 0.2, 0.3]}}
    (folder / "open_clip_config.json").write_text(json.dumps(content))


def test_heads_that_the_name_and_the_folder_state_differently(tmp_path: Path) -> None:
    source = tmp_path / "config.json"
    vision, text = {"width": 768, "head_width": 64}, {"width": 512, "heads": 4}
    stated = (
        FileConfiguration(source, quick_gelu=False, vision_heads=12, text_heads=4),
        OpenClipConfiguration(source, {"vision_cfg": vision, "text_cfg": text}),
    )
    for told in stated:
        weights = WeightsFile(source, {"visual.proj": torch.zeros(1)}, from_openai=False, configuration=told)
        with pytest.raises(InputError, match=r"has 12 and 4 attention heads .*, while ViT-B-32 has 12 and 8; omit"):
            choose_configuration(weights, "ViT-B-32", None)


PARTS = {"vision_cfg": open_clip.CLIPVisionCfg, "text_cfg": open_clip.CLIPTextCfg}


def test_every_option_of_open_clip_was_looked_at() -> None:
    """A later version with more options fails here: they must be followed, or refused with other values than usual."""
    for part, kind in PARTS.items():
        assert {field.name for field in fields(kind)} <= OPTIONS[part]
    assert signature(open_clip.CLIP).parameters.keys() <= OPTIONS[""]


# Those that change what either encoder computes, and that are followed.
FOLLOWED = {
    "vision_cfg": {
        "ls_init_value": 0.1,
        "no_ln_pre": True,
        "pos_embed_type": "sin_cos_2d",
        "act_kwargs": {"approximate": "tanh"},
        "norm_kwargs": {"eps": 0.01},
        "head_width": 16,
    },
    "text_cfg": {
        "ls_init_value": 0.1,
        "proj_bias": True,
        "act_kwargs": {"approximate": "tanh"},
        "norm_kwargs": {"eps": 0.01},
        "heads": 4,
        "block_type": "custom",
        "qk_norm": True,
        "scale_heads": True,
        "scale_attn_inner": True,
        "scale_attn": True,
        "scale_fc": True,
    },
}


@pytest.mark.parametrize(("part", "option"), [(part, option) for part, own in FOLLOWED.items() for option in own])
def test_options_of_open_clip_change_the_features_as_there(part: str, option: str, tmp_path: Path) -> None:
    if option not in {field.name for field in fields(PARTS[part])}:
        pytest.skip("the installed open_clip is too old for it")
    sizes = {"vision_cfg": {"layers": 2}, "text_cfg": {"layers": 2, "vocab_size": 49408}}
    change = {**sizes, part: {**sizes[part], option: FOLLOWED[part][option]}}
    write_configuration(tmp_path, **change)
    described = json.loads((tmp_path / "open_clip_config.json").read_text())["model_cfg"]
    torch.manual_seed(0)
    model = open_clip.CustomTextCLIP(**described).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": {**described, "custom_text": True}}))
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    backbone, pictures = load_backbone(weights=tmp_path), torch.randn(1, 3, 28, 28)
    ids = backbone.tokenizer(["a photo of an object"])
    with torch.no_grad():
        torch.testing.assert_close(backbone.encode_images(pictures).global_features, model.encode_image(pictures))
        torch.testing.assert_close(backbone.encode_texts(["a photo of an object"]), model.encode_text(ids))


@pytest.mark.parametrize("pool", [{}, {"timm_pool": "avg"}])
def test_eva_without_its_class_token(pool: dict[str, str], state: dict[str, Tensor], tmp_path: Path) -> None:
    write_configuration(tmp_path, vision_cfg={"timm_model_name": "eva02_base_patch16_clip_224", **pool})
    save_file(state, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(InputError, match="its image encoder does not read out a class token"):
        load_backbone(weights=tmp_path)


def test_cosine_attention_of_texts_which_open_clip_cannot_run(state: dict[str, Tensor], tmp_path: Path) -> None:
    write_configuration(tmp_path, text_cfg={"scaled_cosine_attn": True})
    save_file(state, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(InputError, match="its text encoder is not CLIP's own"):
        load_backbone(weights=tmp_path)


def test_mlps_of_another_width(tmp_path: Path) -> None:
    model = small_clip(mlp_ratio=2.7, head_width=32)
    save_file(model.state_dict(), tmp_path / "a.safetensors")
    backbone = load_backbone(weights=tmp_path / "a.safetensors")
    pictures = torch.randn(1, 3, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(backbone.encode_images(pictures).global_features, model.encode_image(pictures))


def test_other_vocabularies(state: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.safetensors"
    save_file(state, path)
    load_backbone(weights=path)
    assert "tokenizer" not in caplog.text
    save_file(with_words(state, 49409), path)
    load_backbone(weights=path)
    assert "its text encoder has 49409 entries, CLIP's tokenizer 49408; its texts are read with CLIP's" in caplog.text
    save_file(with_words(state, 30522), path)
    with pytest.raises(InputError, match="its text encoder has 30522 entries, CLIP's tokenizer 49408"):
        load_backbone(weights=path)


def test_a_configuration_beside_weights_of_every_name(
    state: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_configuration(tmp_path)
    for name in ("model.safetensors", "mine.safetensors"):
        save_file(state, tmp_path / name)
    with caplog.at_level(logging.WARNING):
        assert load_backbone(weights=tmp_path).mean == (0.1, 0.2, 0.3)
    assert "not used" not in caplog.text
    assert load_backbone(weights=tmp_path / "mine.safetensors").mean != (0.1, 0.2, 0.3)
    assert "mine.safetensors: open_clip_config.json beside it is not used" in caplog.text
    (tmp_path / "open_clip_config.json").unlink()
    (tmp_path / "open_clip_config.json").symlink_to("gone")
    load_backbone(weights=tmp_path / "mine.safetensors")
    with pytest.raises(InputError, match="is a link that leads nowhere"):
        load_backbone(weights=tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vision_cfg": {"image_size": [28, 56]}}, "give a model for square pictures"),
        ({"text_cfg": {"tokenizer_kwargs": {"clean": "canonicalize"}}}, "its texts are not read as CLIP's are"),
        ({"text_cfg": {"tokenizer_kwargs": ["clean"]}}, "is not an open_clip configuration"),
        ({"vision_cfg": {"head_width": 8.0}}, "its head_width is 8.0, not a count"),
        ({"text_cfg": {"act_kwargs": {"approximate": "tan"}}}, "GELU is approximated by tan, not none or tanh"),
    ],
)
def test_configurations_that_need_another_reading(
    change: dict[str, Any], reason: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    write_configuration(tmp_path, **change)
    positions = torch.zeros(33 if "vision_cfg" in change else 17, 32)
    save_file({**state, "visual.positional_embedding": positions}, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(InputError, match=reason):
        load_backbone(weights=tmp_path)


def test_entries_that_no_feature_depends_on(state: dict[str, Tensor], tmp_path: Path) -> None:
    mask = torch.full((77, 77), float("-inf")).triu(1)
    more = {"attn_mask": mask, "logit_bias": torch.tensor(-10.0), "logit_scale": torch.ones(1)}
    save_file({**state, **more}, tmp_path / "A.SAFETENSORS")
    backbone = load_backbone(weights=tmp_path / "A.SAFETENSORS")
    torch.testing.assert_close(backbone.vision.conv1.weight, state["visual.conv1.weight"])


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "model.safetensors"])
def test_an_adapter_is_no_model(name: str, tmp_path: Path) -> None:
    """Nor are the weights beside it the ones that transformers computes with."""
    (tmp_path / "adapter_config.json").write_text("{}")
    save_file({"base_model.model.lora_A.weight": torch.zeros(4, 4)}, tmp_path / name)
    with pytest.raises(InputError, match=r"holds an adapter .LoRA.*; merge it into that model"):
        load_backbone(weights=tmp_path)


def test_a_configuration_that_contradicts_openai_s_entries_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    write_configuration(tmp_path)
    path = tmp_path / "open_clip_config.json"
    save_file({**state, "context_length": torch.tensor(77)}, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(InputError, match=r"which have QuickGELU, not GELU as open_clip_config\.json says"):
        load_backbone(weights=tmp_path)
    content = json.loads(path.read_text())
    content["model_cfg"]["quick_gelu"] = True
    path.write_text(json.dumps(content))
    load_backbone(weights=tmp_path)
