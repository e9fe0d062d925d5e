"""SigLIP's files: both tokenizers, what is missing or does not fit is said in one line, and what is not supported."""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("sentencepiece", reason="requirements-siglip.txt is not installed")
pytest.importorskip("tokenizers", reason="requirements-siglip.txt is not installed")

from safetensors.torch import load_file, save_file
from small_siglip import (
    CONTEXT,
    HUGGING_FACE_CONFIGURATION,
    TEXTS,
    VISION,
    VOCABULARY,
    read_tokenizer,
    sentencepiece_model,
    tokenizer_json,
    write_hugging_face_folder,
    write_open_clip_folder,
)

from pointad.errors import InputError
from pointad.model.backbone import load_backbone


@pytest.fixture(scope="module")
def vocabulary() -> bytes:
    return sentencepiece_model()


@pytest.fixture
def hugging_face(tmp_path: Path) -> Path:
    write_hugging_face_folder(tmp_path / "hf")
    return tmp_path / "hf"


@pytest.fixture
def open_clip_folder(tmp_path: Path) -> Path:
    write_open_clip_folder(tmp_path / "oc")
    return tmp_path / "oc"


def test_both_files_of_a_tokenizer_mean_the_same(vocabulary: bytes, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "tokenizer.json").write_text(tokenizer_json(vocabulary))
    (tmp_path / "b" / "spiece.model").write_bytes(vocabulary)
    (tmp_path / "c" / "tokenizer.model").write_bytes(vocabulary)
    found = [read_tokenizer(tmp_path / name)([*TEXTS, "", "object " * 40]).tolist() for name in ("a", "b", "c")]
    assert found[0] == found[1] == found[2]
    *_, empty, long = found[0]
    assert empty == [1] * CONTEXT and long[-1] == 1 and long[-2] != 1


def test_texts_are_cleaned(vocabulary: bytes, tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(vocabulary)
    tokenizer = read_tokenizer(tmp_path)
    assert tokenizer.encode("A  Damaged, object.") == tokenizer.encode("a damaged object")


def test_the_vocabulary_of_siglip_2_ends_and_fills_up_differently(tmp_path: Path) -> None:
    """Gemma's pieces: <eos>, <pad> of its own, a </s> that means something else, and no space before a text."""
    pieces = {"model_type": "bpe", "eos_piece": "<eos>", "bos_id": 2, "unk_id": 3, "add_dummy_prefix": False}
    (tmp_path / "tokenizer.model").write_bytes(sentencepiece_model(**pieces, user_defined_symbols=["</s>"]))
    tokenizer = read_tokenizer(tmp_path)
    words = tokenizer.encode("damaged object")
    (filled,) = tokenizer(["damaged object"]).tolist()
    assert filled == [*words, 1, *[0] * (CONTEXT - 1 - len(words))]
    after = tokenizer.encode_after_words("damaged object")
    assert after != words and tokenizer.encode("x damaged object") == tokenizer.encode("x") + after


@pytest.mark.parametrize("library", ["tokenizers", "sentencepiece"])
def test_a_library_that_is_not_installed(library: str, vocabulary: bytes, tmp_path: Path, monkeypatch: Any) -> None:
    name = "tokenizer.json" if library == "tokenizers" else "spiece.model"
    (tmp_path / name).write_text("{}")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=rf"{name}: cannot be read without the package {library}; run: pip install"):
        read_tokenizer(tmp_path)


def test_a_library_that_does_not_fit_into_memory_is_not_to_be_installed(tmp_path: Path, monkeypatch: Any) -> None:
    """Under ``ulimit -v``."""
    (tmp_path / "tokenizers.py").write_text("raise ImportError('a.so: failed to map segment from shared object')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    del sys.modules["tokenizers"]  # what it was comes back after the test
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(MemoryError, match="tokenizers cannot be loaded"):
        read_tokenizer(tmp_path)


def test_tokenizers_that_do_not_fit(vocabulary: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no tokenizer\.json or spiece\.model"):
        read_tokenizer(tmp_path)
    (tmp_path / "spiece.model").write_bytes(vocabulary)
    with pytest.raises(InputError, match=f"it has {VOCABULARY} entries, the text encoder 32000"):
        read_tokenizer(tmp_path, 32000)
    small = read_tokenizer(tmp_path, VOCABULARY - 20)
    with pytest.raises(InputError, match=r"gives token \d+, and the text encoder has 44"):
        small(["a b c d e f g h i j k l m n o p q r s t u v w x y z"])
    (tmp_path / "spiece.model").write_bytes(sentencepiece_model(eos_id=-1, pad_id=-1, unk_id=0))
    with pytest.raises(InputError, match="has no end token"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"no tokenizer", b"version https://git-lfs.github.com/spec/v1\noid"])
@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
def test_files_that_are_no_tokenizers(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="is not a tokenizer that can be used") as caught:
        read_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_panics_of_the_library_are_errors(vocabulary: bytes, tmp_path: Path, capfd: Any) -> None:
    """A damaged table of characters lets the library panic, which is no exception for Python."""
    content = json.loads(tokenizer_json(vocabulary))
    content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="is not a tokenizer that can be used"):
        read_tokenizer(tmp_path)(["a"])
    assert capfd.readouterr().err == ""


def test_a_text_is_not_repeated(vocabulary: bytes, tmp_path: Path) -> None:
    """What the library does after a text is split, such as adding tokens at its end, is done here."""
    content = json.loads(tokenizer_json(vocabulary))
    once = {"Sequence": {"id": "A", "type_id": 0}}
    both = [once, {"Sequence": {"id": "B", "type_id": 0}}]
    rule = {"type": "TemplateProcessing", "single": [once] * 1000, "pair": both, "special_tokens": {}}
    found = []
    for processor in (None, rule):
        (tmp_path / "tokenizer.json").write_text(json.dumps({**content, "post_processor": processor}))
        found.append(read_tokenizer(tmp_path).encode("a damaged object"))
    assert found[0] == found[1]


def test_words_that_are_joined_are_refused(vocabulary: bytes, tmp_path: Path) -> None:
    """The tokens of the words after the learned ones would be others, without a word."""
    content = json.loads(tokenizer_json(vocabulary))
    content["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    assert read_tokenizer(tmp_path).encode_after_words("object")
    content["model"]["vocab"].append(["▁x▁object", 0.0])
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="it joins 'object' with the word before it"):
        read_tokenizer(tmp_path, VOCABULARY + 1).encode_after_words("object")


def test_no_token_is_left_to_chance(tmp_path: Path) -> None:
    """The library would apply the dropout of a training whenever it reads a text."""
    single = ["</s>", *"▁ abcdefghijklmnopqrstuvwxyz"]
    pairs = [[left, right] for left in "aeo" for right in "bdjt"]
    names = [*single, *map("".join, pairs)]
    names += [f"<{number}>" for number in range(VOCABULARY - len(names))]
    model = {"type": "BPE", "vocab": {name: number for number, name in enumerate(names)}, "merges": pairs}
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {**model, "dropout": 0.5}}))
    tokenizer = read_tokenizer(tmp_path)
    found = [tokenizer.encode("adobe object adobe object") for _ in range(8)]
    assert all(token_ids == found[0] for token_ids in found)


def test_words_that_the_vocabulary_lacks_are_told(
    vocabulary: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spiece.model").write_bytes(vocabulary)
    tokenizer = read_tokenizer(tmp_path)
    tokenizer(["a damaged object"])
    assert "no entry" not in caplog.text
    tokenizer(["a damaged 齿轮", "a damaged 叶子"])
    assert caplog.text.count("has no entry for a part of 'a damaged 齿轮'") == 1 and "叶子" not in caplog.text


@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
def test_a_folder_whose_name_is_not_text(name: str, vocabulary: bytes, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"sigl\xffp")
    folder.mkdir()
    (folder / name).write_bytes(tokenizer_json(vocabulary).encode() if name.endswith("json") else vocabulary)
    assert read_tokenizer(folder)(["damaged object"]).shape == (1, CONTEXT)


def test_what_was_chosen_is_logged(
    hugging_face: Path, open_clip_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        load_backbone(weights=hugging_face)
        load_backbone(weights=open_clip_folder)
    assert "read with GELU by tanh, as config.json describes it" in caplog.text
    assert f"read with the activation of {VISION['timm_model_name']}, as open_clip_config.json" in caplog.text


def test_a_folder_without_its_tokenizer(hugging_face: Path, open_clip_folder: Path) -> None:
    (hugging_face / "spiece.model").unlink()
    (open_clip_folder / "tokenizer.json").unlink()
    for folder in (hugging_face, open_clip_folder):
        with pytest.raises(InputError, match=r"has no tokenizer\.json or spiece\.model, and SigLIP has a tokenizer"):
            load_backbone(weights=folder)


def test_a_file_without_its_folder(open_clip_folder: Path, hugging_face: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((open_clip_folder / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(InputError, match="SigLIP needs its whole folder or --clip_model"):
        load_backbone(weights=alone)
    (hugging_face / "config.json").unlink()
    with pytest.raises(InputError, match=r"config\.json: not found; SigLIP's weights do not state their attention"):
        load_backbone(weights=hugging_face)


def test_flags_that_contradict(hugging_face: Path, open_clip_folder: Path) -> None:
    with pytest.raises(InputError, match=r"is already described by config\.json; omit --clip_model"):
        load_backbone("ViT-B-16-SigLIP", hugging_face)
    for folder in (hugging_face, open_clip_folder):
        with pytest.raises(InputError, match=r"has a known activation .*; omit --clip_activation"):
            load_backbone(weights=folder, quick_gelu=True)


def vision(**change: Any) -> dict[str, Any]:
    return {"vision_config": {**HUGGING_FACE_CONFIGURATION["vision_config"], **change}}


def without(name: str) -> dict[str, Any]:
    return {name: None}


TEXT_CONFIGURATION: Any = HUGGING_FACE_CONFIGURATION["text_config"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "siglip2"}, "NaFlex.*; take one with a fixed size"),
        ({"model_type": "clip"}, r"a model other than siglip .model_type 'clip'"),
        ({"text_config": {}}, "its text_config has num_hidden_layers 12, while the weights have 4"),
        ({"text_config": [1]}, "text_config is not a JSON object"),
        ({"vision_config": {"hidden_act": "gelu", "num_attention_heads": 4}}, "hidden_act is gelu, expected gelu_py"),
        ({"vision_config": {"layer_norm_eps": 1e-5}}, "layer_norm_eps is not 1e-06"),
        ({"vision_config": {"num_attention_heads": "4"}}, "num_attention_heads is not a count"),
        (vision(vision_use_head=False), "its vision_use_head is false"),
        (
            {"text_config": {**TEXT_CONFIGURATION, "projection_size": 16}},
            "projection_size is 16, while the weights have",
        ),
        (vision(num_attention_heads=7), "its 7 attention heads do not divide the width 32"),
        (vision(hidden_size=64), "its vision_config has hidden_size 64, while the weights have 32"),
        (vision(image_size=48), "its vision_config has image_size 48, while the weights have 25 patches"),
    ],
)
def test_configurations_of_hugging_face_that_do_not_fit(change: Any, reason: str, hugging_face: Path) -> None:
    (hugging_face / "config.json").write_text(json.dumps({**HUGGING_FACE_CONFIGURATION, **change}))
    with pytest.raises(InputError, match=reason) as caught:
        load_backbone(weights=hugging_face)
    assert "\n" not in str(caught.value)


def test_parts_that_contradict_each_other(hugging_face: Path) -> None:
    state = load_file(hugging_face / "model.safetensors")
    (hugging_face / "model.safetensors").unlink()
    save_file(state, hugging_face / "a.safetensors")
    index = {"weight_map": {"logit_bias": "a.safetensors", "logit_scale": "b.safetensors"}}
    (hugging_face / "model.safetensors.index.json").write_text(json.dumps(index))
    save_file({"logit_scale": state["logit_scale"]}, hugging_face / "b.safetensors")
    load_backbone(weights=hugging_face)
    save_file({"logit_scale": state["logit_scale"] + 1}, hugging_face / "b.safetensors")
    with pytest.raises(InputError, match=r"b\.safetensors: its 'logit_scale' has other values than another part's"):
        load_backbone(weights=hugging_face)


LACKING = "vision_model.encoder.layers.0.self_attn.k_proj.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without(LACKING), "lacks query, key or value"),
        (without("text_model.head.weight"), "has no entry 'text.text_projection.weight'"),
        (without("text_model.head.bias"), r"its text\.text_projection\.bias is nothing, expected \(32,\)"),
        ({"vision_model.embeddings.patch_embedding.weight": torch.zeros(32, 192)}, "dimensions of a SigLIP"),
        ({"vision_model.head.other": torch.zeros(1)}, "a model other than SigLIP"),
        ({"logit_scale": torch.zeros(2)}, r"its logit_scale is \(2,\), expected \(\)"),
    ],
)
def test_weights_of_hugging_face_that_do_not_fit(change: dict[str, Any], reason: str, hugging_face: Path) -> None:
    state = {**load_file(hugging_face / "model.safetensors"), **change}
    state = {name: entry for name, entry in state.items() if entry is not None}
    save_file(state, hugging_face / "model.safetensors")
    with pytest.raises(InputError, match=reason) as caught:
        load_backbone(weights=hugging_face)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", [None, (1,)])
def test_the_bias_of_the_loss_may_be_missing_or_a_list(form: tuple[int] | None, open_clip_folder: Path) -> None:
    expected = load_backbone(weights=open_clip_folder).encode_texts(TEXTS)
    state = load_file(open_clip_folder / "open_clip_model.safetensors")
    bias = state.pop("logit_bias")
    kept = state if form is None else {**state, "logit_bias": bias.reshape(form)}
    save_file(kept, open_clip_folder / "open_clip_model.safetensors")
    torch.testing.assert_close(load_backbone(weights=open_clip_folder).encode_texts(TEXTS), expected)


@pytest.mark.parametrize(
    ("tower", "change", "reason"),
    [
        ("vision_cfg", {"timm_pool": "avg"}, "does not read out as SigLIP's does"),
        ("vision_cfg", {"timm_model_name": "vit_small4tests_patch8_siglip_gap_40"}, "its image encoder is timm's"),
        ("vision_cfg", {"timm_model_name": "vit_unknown_patch8_siglip_40"}, "no model has these dimensions"),
        ("vision_cfg", {"trunk": {"checkpoint_path": "/etc/passwd"}, "timm_model_name": "hf-hub:a/b"}, "timm's hf-hub"),
        ("text_cfg", {"hf_model_name": "roberta-base"}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"no_causal_mask": False}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"pool_type": "first"}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"ls_init_value": 0.1}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"qk_norm": True}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"scaled_cosine_attn": True}, "its text encoder is not SigLIP's own"),
        ("text_cfg", {"use_pad_mask": True}, "has an unknown option 'use_pad_mask'"),
        ("vision_cfg", {"timm_dynamic": True}, "has an unknown option 'timm_dynamic'"),
        ("", {"quick_gelu": True}, "its text encoder is not SigLIP's own"),
        ("", {"prefix": "x"}, "has an unknown option 'prefix'"),
        ("text_cfg", {"tokenizer_kwargs": {"clean": "lower"}}, "its texts are not read as SigLIP's are"),
        ("text_cfg", {"tokenizer_kwargs": None}, "its texts are not read as SigLIP's are"),
        ("text_cfg", {"tokenizer_kwargs": {"clean": "canonicalize", "language": "de"}}, "its texts are not read as"),
        ("text_cfg", {"tokenizer_mode": "clips"}, "its texts are not read as SigLIP's are"),
        ("text_cfg", {"norm_kwargs": {"epsilon": 1}}, "no model has these dimensions"),
        ("text_cfg", {"heads": 5}, "no model has these dimensions"),
        ("text_cfg", {"heads": 0.5}, "its heads is 0.5, not a count"),
        ("text_cfg", {"vocab_size": None}, "its vocab_size is None, not a count"),
        ("text_cfg", {"vocab_size": {"": 1}}, "its vocab_size is .*, not a count"),
        ("text_cfg", {"norm_kwargs": {"eps": "7"}}, "its eps is 7, not a number"),
        ("", {"embed_dim": None}, "its embed_dim is None, not a count"),
    ],
)
def test_configurations_of_open_clip_that_do_not_fit(
    tower: str, change: dict[str, Any], reason: str, open_clip_folder: Path
) -> None:
    path = open_clip_folder / "open_clip_config.json"
    content = json.loads(path.read_text())
    (content["model_cfg"][tower] if tower else content["model_cfg"]).update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=reason) as caught:
        load_backbone(weights=open_clip_folder)
    assert "\n" not in str(caught.value)
