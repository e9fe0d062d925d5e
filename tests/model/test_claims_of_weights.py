"""Weights that claim a large model, name their blocks oddly, or hold numbers that single precision does not have."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from hugging_face_names import hugging_face_names
from safetensors.torch import save_file
from small_clip import small_clip
from torch import Tensor

import pointad.model.architecture as architecture
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.weight_locations import demo_folder
from pointad.model.weights import read_weights


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return {name: entry for name, entry in small_clip().state_dict().items() if name != "attn_mask"}


@pytest.fixture(scope="module")
def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return hugging_face_names(state)


def save(state: dict[str, Tensor], path: Path) -> Path:
    save_file({name: entry.contiguous() for name, entry in state.items()}, path)
    return path


def test_a_long_context_is_refused_before_its_attention_mask_is_made(
    state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointad.model.building.build", lambda *_, **__: pytest.fail("built"))
    path = save({**state, "positional_embedding": torch.zeros(30_000, 1)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="its texts have 30000 tokens; 1 to 1024 are supported"):
        load_backbone(weights=path)


@pytest.mark.parametrize("tower", ["visual.transformer", "transformer"])
def test_blocks_are_counted_before_they_are_built(
    tower: str, state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointad.model.building.build", lambda *_, **__: pytest.fail("built"))
    names = {f"{tower}.resblocks.{number}.a": torch.zeros(0) for number in range(100, 400)}
    with pytest.raises(InputError, match=r"encoder has 30\d blocks; 1 to 200 are supported"):
        load_backbone(weights=save({**state, **names}, tmp_path / "a.safetensors"))


def test_a_stated_model_is_compared_before_it_is_given_memory(
    state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration: dict[str, Any] = open_clip.get_model_config("EVA02-B-16")
    configuration["text_cfg"]["vocab_size"] = 10**12
    save(state, tmp_path / "open_clip_model.safetensors")
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": configuration}))
    built = []

    def recorded(*arguments: Any, device: str = "cpu") -> Any:
        built.append(device)
        return architecture.build(*arguments, device=device)

    monkeypatch.setattr("pointad.model.building.build", recorded)
    with pytest.raises(InputError, match="weights of another model"):
        load_backbone(weights=tmp_path)
    assert built == ["meta"]


@pytest.mark.parametrize("number", ["9" * 5000, "00", "٠"], ids=["too many digits", "zeros", "other digits"])
@pytest.mark.parametrize("part", ["mlp.fc1.weight", "self_attn.q_proj.weight"])
def test_numbers_of_blocks_are_plain(number: str, part: str, renamed: dict[str, Tensor], tmp_path: Path) -> None:
    name = f"text_model.encoder.layers.{number}.{part}"
    with pytest.raises(InputError, match="a model other than CLIP"):
        read_weights(save({**renamed, name: torch.zeros(2)}, tmp_path / "a.safetensors"))


def test_projections_without_dimensions(renamed: dict[str, Tensor], tmp_path: Path) -> None:
    single = {name: torch.zeros(()) for name in renamed if "layers.0.self_attn" in name and name.endswith("weight")}
    with pytest.raises(InputError, match="lacks query, key or value"):
        read_weights(save({**renamed, **single}, tmp_path / "a.safetensors"))
    deep = {**renamed, "visual_projection.weight": torch.zeros(2, 3, 4)}
    with pytest.raises(InputError, match="weights of another model"):
        load_backbone(weights=save(deep, tmp_path / "b.safetensors"))


def test_a_pooling_head_without_dimensions(tmp_path: Path) -> None:
    entries = {
        "vision_model.embeddings.patch_embedding.weight": torch.zeros(8, 3, 2, 2),
        "vision_model.head.probe": torch.zeros(1, 1, 8),
        "vision_model.head.attention.in_proj_weight": torch.zeros(()),
    }
    with pytest.raises(InputError, match="a model other than SigLIP"):
        read_weights(save(entries, tmp_path / "a.safetensors"))


def test_double_precision_is_rounded_with_a_word(
    state: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exact = {name: entry.double() for name, entry in state.items()}
    path = save(exact, tmp_path / "exact.safetensors")
    assert all(torch.equal(read_weights(path).state[name], entry) for name, entry in state.items())
    assert not caplog.records
    finer = {**exact, "visual.proj": exact["visual.proj"] * (1 + 1e-9)}
    with caplog.at_level(logging.WARNING):
        read_weights(save(finer, tmp_path / "finer.safetensors"))
    assert "1 of its entries are in double precision and are rounded to float32, such as 'visual.proj'" in caplog.text
    larger = {**exact, "visual.proj": torch.full_like(exact["visual.proj"], 1e300)}
    with pytest.raises(InputError, match=r"'visual\.proj' holds numbers that are too large for single precision"):
        read_weights(save(larger, tmp_path / "larger.safetensors"))


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("tokenized_prompts_pos", lambda entry: entry + 0.7, "holds torch.float32 values, not whole numbers"),
        ("tokenized_prompts_pos", lambda entry: entry > 0, "holds torch.bool values, not whole numbers"),
        ("ctx_pos", lambda entry: (entry * 1e12).long(), "holds torch.int64 values, not floats"),
        ("compound_prompts_text.0", lambda entry: entry > 0, "holds torch.bool values, not floats"),
        ("ctx_neg", lambda entry: entry.double() + 1e300, "too large for single precision"),
    ],
)
def test_prompts_of_another_kind_of_numbers(
    name: str, change: Any, problem: str, golden_weights: Path, golden_backbone: ClipBackbone, tmp_path: Path
) -> None:
    content = torch.load(golden_weights / "prompts.pth", weights_only=True)
    content["prompt_learner"][name] = change(content["prompt_learner"][name])
    torch.save(content, tmp_path / "prompts.pth")
    with pytest.raises(InputError, match=problem):
        load_prompt_learner(tmp_path / "prompts.pth", golden_backbone)


def test_pictures_of_a_negative_size_are_refused(tmp_path: Path) -> None:
    configuration = json.loads((demo_folder() / "demo_clip.json").read_text())
    configuration["vision_cfg"]["image_size"] *= -1  # as many patches as before, by their square
    shutil.copy(demo_folder() / "demo_clip.safetensors", tmp_path / "open_clip_model.safetensors")
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": configuration, "preprocess_cfg": {}}))
    with pytest.raises(InputError, match="is a model for pictures of -336 x -336 pixels"):
        load_backbone(weights=tmp_path)


@pytest.mark.parametrize(("side", "patch"), [(1040, 80), (258, 2)])
def test_a_model_for_huge_pictures_is_refused(side: int, patch: int, tmp_path: Path) -> None:
    huge = small_clip(image_size=side, patch_size=patch)
    entries = {name: entry for name, entry in huge.state_dict().items() if name != "attn_mask"}
    path = save(entries, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=f"is a model for pictures of {side} x {side} pixels in patches of {patch} x"):
        load_backbone(weights=path)
