"""CLIP weights as people have them: other names, other containers, folders, and what lies in place of weights."""

import argparse
import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hugging_face_names import hugging_face_names
from open_clip.transformer import QuickGELU
from safetensors.torch import save_file
from small_clip import small_clip
from torch import Tensor

from pointad.encoding.feature_cache import FeatureCache, PictureFeatures
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompts
from pointad.model.weights import read_weights
from pointad.reference.reference import Reference


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return {name: entry for name, entry in small_clip().state_dict().items() if name != "attn_mask"}


@pytest.fixture(scope="module")
def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    counters = {"text_model.embeddings.position_ids": torch.arange(77)[None]}
    return {**hugging_face_names(state), **counters}


VISION = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 5, "image_size": 28, "patch_size": 7}
TEXT = {"hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 4}
CONFIGURATION = {
    "model_type": "clip",
    "vision_config": {**VISION, "hidden_act": "gelu", "num_attention_heads": 4},
    "text_config": {**TEXT, "hidden_act": "gelu", "num_attention_heads": 2},
}


def write_folder(renamed: dict[str, Tensor], folder: Path, **configuration: Any) -> Path:
    folder.mkdir()
    save_file({name: entry.contiguous() for name, entry in renamed.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**CONFIGURATION, **configuration}))
    return folder


def has_quick_gelu(backbone: ClipBackbone) -> bool:
    return any(isinstance(module, QuickGELU) for module in backbone.modules())


def assert_same_weights(path: Path, state: dict[str, Tensor]) -> None:
    found = read_weights(path).state
    assert found.keys() == state.keys()
    for name, entry in state.items():
        assert torch.equal(found[name], entry), name


def test_hugging_face_files(state: dict[str, Tensor], renamed: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(renamed, tmp_path / "pytorch_model.bin")
    save_file({name: entry.contiguous() for name, entry in renamed.items()}, tmp_path / "model.safetensors")
    for name in ("pytorch_model.bin", "model.safetensors"):
        assert_same_weights(tmp_path / name, state)
    (tmp_path / "model.safetensors").unlink()
    assert_same_weights(tmp_path, state)


def test_a_sharded_folder(state: dict[str, Tensor], renamed: dict[str, Tensor], tmp_path: Path) -> None:
    names = sorted(renamed)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for shard, held in shards.items():
        save_file({name: renamed[name].contiguous() for name in held}, tmp_path / shard)
    index = {"weight_map": {name: shard for shard, held in shards.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert_same_weights(tmp_path, state)
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(InputError, match=r"model-2\.safetensors: part of the weights not found"):
        read_weights(tmp_path)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "sub/a.safetensors", "..\\a", "..", ""])
def test_an_index_names_only_its_neighbours(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(InputError, match="not beside it"):
        read_weights(tmp_path)


def test_configuration_of_the_folder_decides(
    renamed: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = {"image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 3]}
    folder = write_folder(renamed, tmp_path / "plain")
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures))
    with caplog.at_level(logging.INFO):
        backbone = load_backbone(weights=folder)
    assert "read with plain GELU, config.json says so" in caplog.text
    assert not has_quick_gelu(backbone)
    assert backbone.vision.transformer.resblocks[0].attn.num_heads == 4
    assert backbone.text.transformer.resblocks[0].attn.num_heads == 2
    assert backbone.mean == (0.5, 0.25, 0.125) and backbone.std == (1, 2, 3)
    silent = {"vision_config": {**VISION, "num_attention_heads": 4}, "text_config": TEXT}
    backbone = load_backbone(weights=write_folder(renamed, tmp_path / "silent", **silent))
    assert has_quick_gelu(backbone)
    assert backbone.text.transformer.resblocks[0].attn.num_heads == 8  # what transformers takes for an omitted count
    older = {"text_config_dict": TEXT, "vision_config_dict": {**VISION, "num_attention_heads": 8}}
    backbone = load_backbone(weights=write_folder(renamed, tmp_path / "older", **older))
    assert has_quick_gelu(backbone)  # the default of the older parts, not what the newer ones state
    assert backbone.vision.transformer.resblocks[0].attn.num_heads == 8


@pytest.mark.parametrize(
    "stated",
    [{"do_normalize": False}, {"do_rescale": False}, {"rescale_factor": 1 / 127.5}, {"rescale_factor": math.nan}],
)
def test_pictures_that_are_treated_otherwise_are_refused(
    stated: dict[str, Any], renamed: dict[str, Tensor], tmp_path: Path
) -> None:
    """Their features would be others than transformers' own, without a word."""
    folder = write_folder(renamed, tmp_path / "plain")
    usual = {"do_normalize": True, "do_rescale": True, "rescale_factor": 0.00392156862745098, "image_mean": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(usual))
    assert load_backbone(weights=folder).mean == (0.5, 0.5, 0.5)
    (folder / "preprocessor_config.json").write_text(json.dumps({**usual, **stated}))
    with pytest.raises(InputError, match=rf"preprocessor_config\.json: its {next(iter(stated))} is .*not supported"):
        load_backbone(weights=folder)


def vision(reason: str, **change: Any) -> tuple[dict[str, Any], str]:
    return {"vision_config": {**VISION, "hidden_act": "gelu", "num_attention_heads": 4, **change}}, reason


def text(reason: str, **change: Any) -> tuple[dict[str, Any], str]:
    return {"text_config": {**TEXT, "hidden_act": "gelu", "num_attention_heads": 2, **change}}, reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "siglip"}, "a model other than clip .model_type 'siglip'"),
        ({"model_type": 3}, "a model other than clip"),
        ({**vision("")[0], **text("")[0], "projection_dim": 512}, "projection_dim is 512, while the weights have 24"),
        ({"vision_config": {"hidden_act": "gelu_new"}}, "hidden_act is gelu and gelu_new"),
        ({"vision_config": {"hidden_act": "quick_gelu"}}, "gelu and quick_gelu"),
        ({"vision_config": [1]}, "vision_config is not a JSON object"),
        ({"vision_config": {"hidden_act": "gelu", "num_attention_heads": "4"}}, "num_attention_heads is not a count"),
        ({"vision_config": {"hidden_act": "gelu", "layer_norm_eps": 1e-6}}, "layer_norm_eps"),
        vision("7 attention heads do not divide the width 32", num_attention_heads=7),
        vision("has hidden_size 64, while the weights have 32", hidden_size=64),
        vision("has num_hidden_layers 4, while the weights have 5", num_hidden_layers=4),
        vision("has patch_size 14, while the weights have 7", patch_size=14),
        vision("has image_size 35, while the weights have 16 patches", image_size=35),
        vision("has image_size .28, 28., while the weights", image_size=[28, 28]),
        ({"text_config": {"hidden_act": "gelu"}}, "text_config has num_hidden_layers 12, while the weights have 4"),
        text("has vocab_size 49409, while the weights have 49408", vocab_size=49409),
        text("has max_position_embeddings 64, while the weights have 77", max_position_embeddings=64),
        text("has intermediate_size 2048, while the weights have 64", intermediate_size=2048),
        text("texts end with token 269, while CLIP's end with 49407", eos_token_id=269),
    ],
)
def test_configurations_that_do_not_fit(
    change: dict[str, Any], reason: str, renamed: dict[str, Tensor], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=reason):
        load_backbone(weights=write_folder(renamed, tmp_path / "a", **change))


@pytest.mark.parametrize("width", ["16", None, 0])
def test_a_width_is_a_count_even_where_no_entry_shows_it(
    width: Any, renamed: dict[str, Tensor], tmp_path: Path
) -> None:
    words = "text_model.embeddings.token_embedding.weight"
    less = {name: entry for name, entry in renamed.items() if name != words}
    change, _ = text("", hidden_size=width)
    with pytest.raises(InputError, match="hidden_size is not a count"):
        read_weights(write_folder(less, tmp_path / "a", **change))


def test_open_clip_folder(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "open_clip_pytorch_model.bin")
    model: dict[str, Any] = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 28, "layers": 5, "width": 32, "head_width": 8, "patch_size": 7},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 4, "layers": 4},
    }
    configuration = {"model_cfg": model, "preprocess_cfg": {"mean": [0.1, 0.2, 0.3]}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(configuration))
    backbone = load_backbone(weights=tmp_path)
    assert not has_quick_gelu(backbone) and backbone.mean == (0.1, 0.2, 0.3)
    assert backbone.text.transformer.resblocks[0].attn.num_heads == 4
    model["quick_gelu"] = True
    (tmp_path / "open_clip_config.json").write_text(json.dumps(configuration))
    assert has_quick_gelu(load_backbone(weights=tmp_path))
    hostile: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
        ({"vision_cfg": {**model["vision_cfg"], "layers": 10**9}}, {}, "1000000000 blocks; 1 to 200 are supported"),
        ({"text_cfg": {**model["text_cfg"], "layers": -1}}, {}, "text encoder has -1 blocks"),
        ({"quick_gelu": "no"}, {}, "its quick_gelu is no, not true or false"),
        (
            {"vision_cfg": {**model["vision_cfg"], "no_ln_pre": "false"}},
            {},
            "its no_ln_pre is false, not true or false",
        ),
        ({"vision_cfg": {**model["vision_cfg"], "head_width": 7}}, {}, "heads of width 7 do not divide the width 32"),
        ({}, {"std": [float("inf"), 0.2, 0.3]}, "standard deviation is .inf"),
        ({}, {"std": [-0.2, 0.2, 0.3]}, "standard deviation is .-0.2"),
        ({}, {"mean": [float("nan"), 0.2, 0.3]}, "standard deviation is .nan"),
    )
    for changed, pictures, problem in hostile:
        content = {"model_cfg": {**model, **changed}, "preprocess_cfg": pictures}
        (tmp_path / "open_clip_config.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=problem):
            load_backbone(weights=tmp_path)
    (tmp_path / "open_clip_config.json").write_text("[]")
    with pytest.raises(InputError, match="not an open_clip configuration"):
        load_backbone(weights=tmp_path)


WRAPPERS = {
    "state_dict": lambda state: {"epoch": 3, "name": "x", "state_dict": state},
    "model": lambda state: {"model": state},
    "model_state_dict": lambda state: {"model_state_dict": state, "optimizer": {"lr": 1}, "kept": {}},
    "with an optimizer's moments by name": lambda state: {
        "state_dict": state,
        "optimizer_state_dict": {"exp_avg": other(state)},
    },
    "with an optimizer's state": lambda state: {
        "state_dict": state,
        "optimizer": {"state": {place: {"exp_avg": entry} for place, entry in enumerate(state.values())}},
        "scaler": {"logit_scale": torch.ones(())},
    },
    "twice": lambda state: {"state_dict": {"model": state}},
    "module.": lambda state: {f"module.{name}": entry for name, entry in state.items()},
    "clip.": lambda state: {f"clip.{name}": entry for name, entry in state.items()},
    "model.": lambda state: {f"model.{name}": entry for name, entry in state.items()},
    "two prefixes": lambda state: {"model": {f"module.clip.{name}": entry for name, entry in state.items()}},
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_containers_and_prefixes(
    wrap: Any, state: dict[str, Tensor], renamed: dict[str, Tensor], tmp_path: Path
) -> None:
    for names in (state, renamed):
        torch.save(wrap(names), tmp_path / "a.pt")
        assert_same_weights(tmp_path / "a.pt", state)


def spoilt(change: Any) -> Any:
    return lambda state: {name: change(entry) for name, entry in state.items()}


def other(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{name}": entry + 1 for name, entry in state.items()}


NO_WEIGHTS = {
    "namespace": (lambda s: {"state_dict": s, "args": argparse.Namespace(lr=1)}, r"an object of argparse\.Namespace"),
    "two sets": (lambda s: {"state_dict": s, "model": s}, r"holds several sets of weights \(state_dict, model\)"),
    "average": (
        lambda s: {"state_dict": s, "state_dict_ema": {f"module.{name}": entry for name, entry in s.items()}},
        r"holds several sets of weights \(state_dict, state_dict_ema\)",
    ),
    "average deep down": (
        lambda s: {"state_dict": s, "ema": {"decay": 0.9, "shadow": [{"module": other(s)}]}},
        r"holds several sets of weights \(state_dict, ema\.shadow\.0\.module\)",
    ),
    "average of nested ones": (
        lambda s: {"state_dict": {"model": s}, "ema": {"model": other(s)}},
        r"holds several sets of weights \(state_dict\.model, ema\.model\)",
    ),
    "average of the pictures' part": (
        lambda s: {"model": s, "ema": {name: entry + 1 for name, entry in s.items() if name.startswith("visual")}},
        r"holds several sets of weights \(model, ema\)",
    ),
    "average without names": (
        lambda s: {"state_dict": s, "ema": {"shadow_params": [entry + 1 for entry in s.values()]}},
        r"holds several sets of weights \(state_dict, ema\.shadow_params\)",
    ),
    "an entry beside them": (
        lambda s: {"state_dict": s, "visual.proj": s["visual.proj"] + 1},
        r"holds several sets of weights \(state_dict, beside it\)",
    ),
    "optimizer": (lambda s: {"optimizer": s}, "entries are not named tensors"),
    "nothing": (lambda s: {}, "it is empty"),
    "resnet": (lambda s: {"visual.attnpool.positional_embedding": torch.zeros(1)}, "ResNet"),
    "timm": (lambda s: {"visual.trunk.pos_embed": torch.zeros(1)}, "timm's: SigLIP needs its whole folder"),
    "bert": (lambda s: {"bert.embeddings.weight": torch.zeros(1)}, "not the weights of a CLIP"),
    "not finite": (spoilt(lambda entry: entry / 0), "values that are not finite"),
    "complex": (spoilt(lambda entry: entry.to(torch.complex64)), "ComplexFloatStorage values, which are not supported"),
    "integers": (spoilt(lambda entry: entry.long()), "holds int64 values, not floats"),
}


@pytest.mark.parametrize(("make", "reason"), NO_WEIGHTS.values(), ids=NO_WEIGHTS.keys())
def test_each_kind_of_file_that_is_none_has_its_message(
    make: Any, reason: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(make(state), tmp_path / "a.pt")
    with pytest.raises(InputError, match=reason) as caught:
        load_backbone(weights=tmp_path / "a.pt")
    assert "\n" not in str(caught.value)


def test_incomplete_hugging_face_weights(renamed: dict[str, Tensor], tmp_path: Path) -> None:
    lacking = {name: entry for name, entry in renamed.items() if "0.self_attn.k_proj.weight" not in name}
    torch.save(lacking, tmp_path / "a.bin")
    with pytest.raises(InputError, match="lacks query, key or value"):
        read_weights(tmp_path / "a.bin")
    torch.save({**renamed, "vision_model.head.other": torch.zeros(1)}, tmp_path / "b.bin")
    with pytest.raises(InputError, match="a model other than CLIP"):
        read_weights(tmp_path / "b.bin")


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors", "ViT-L-14-336px.pt"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 934088680\n", "Git LFS pointer"),
        (b"<!doctype html>\n<html><title>404</title></html>", "web page"),
        (b"", "it is empty"),
    ],
)
def test_what_lies_in_place_of_weights(content: bytes, reason: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason):
        load_backbone(weights=tmp_path / name)


def test_the_content_tells_the_format_whatever_the_name(state: dict[str, Tensor], tmp_path: Path) -> None:
    for name in ("a.pt", "a.bin", "5f2a"):
        save_file(state, tmp_path / name)
        assert_same_weights(tmp_path / name, state)
    for old in (True, False):
        torch.save(state, tmp_path / "a.safetensors", _use_new_zipfile_serialization=not old)
        assert_same_weights(tmp_path / "a.safetensors", state)


def test_what_takes_one_format_only_names_the_other(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "prompts.pth")
    torch.save(state, tmp_path / "good.safetensors")
    with pytest.raises(InputError, match=r"prompts\.pth: .*\(it is a safetensors file\)"):
        load_prompts(tmp_path / "prompts.pth")
    with pytest.raises(InputError, match=r"good\.safetensors: .*\(it is a torch file\)"):
        Reference.load(tmp_path / "good.safetensors")


def test_safetensors_of_numbers_that_are_not_supported(tmp_path: Path) -> None:
    for stored_as, size in (("F4", 4), ("F8_E4M3", 8), ("F8_E5M2", 8), ("C64", 64)):
        header = json.dumps({"a": {"dtype": stored_as, "shape": [8], "data_offsets": [0, size]}}).encode()
        (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
        with pytest.raises(InputError, match=f"holds {stored_as} values"):
            read_weights(tmp_path / "a.safetensors")


@pytest.mark.parametrize("shape", [[0, 2**63], [0, 2**40, 2**23], [2**30, 0, 2**30], [1] * 65, [0] * 1000])
def test_safetensors_of_impossible_shapes(shape: list[int], tmp_path: Path) -> None:
    content = bytes(4 * math.prod(shape))
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, len(content)]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + content)
    for read in (read_weights, Reference.load):
        with pytest.raises(InputError, match="its 'a' has a shape that no tensor can have"):
            read(tmp_path / "a.safetensors")


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no CLIP weights"):
        load_backbone(weights=tmp_path)


def test_a_file_that_is_overwritten_after_loading_changes_no_number(state: dict[str, Tensor], tmp_path: Path) -> None:
    whole = tmp_path / "a.safetensors"
    save_file(state, whole)
    before = load_backbone(weights=whole)
    cache = FeatureCache(tmp_path / "cache", fingerprint="a", layers=(1,), precision="fp32")
    features = PictureFeatures(torch.full((4,), 0.5), torch.full((1, 3, 4), 0.5, dtype=torch.float16))
    key = cache.key(np.zeros((2, 2, 3), np.uint8))
    cache.write(key, features)
    entry = tmp_path / "cache" / key[:2] / f"{key}.safetensors"
    found = cache.read(key, (1, 3, 4))
    for path in (whole, entry):
        with path.open("r+b") as file:  # as cp does with a file of the same length
            file.write(bytes(path.stat().st_size))
    assert all(torch.equal(each, state[name]) for name, each in before.vision.state_dict(prefix="visual.").items())
    assert found is not None
    assert torch.equal(found.patch_features, features.patch_features)
    assert torch.equal(found.global_features, features.global_features)
