"""Learned prompts on disk: the released format, read and written, and checkpoints that do not fit."""

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pointad import PointAD
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompt_learner, load_prompts, save_prompts
from pointad.model.prompt_learner import PromptLearner


@pytest.fixture(scope="module")
def released(golden_weights: Path) -> dict[str, Tensor]:
    return torch.load(golden_weights / "prompts.pth", weights_only=True)["prompt_learner"]


def write(state: dict[str, Tensor], path: Path) -> Path:
    torch.save({"prompt_learner": state}, path)
    return path


def test_released_checkpoint_survives_reading_and_writing(
    golden_learner: PromptLearner, released: dict[str, Tensor], tmp_path: Path
) -> None:
    save_prompts(golden_learner, tmp_path / "new" / "prompts.pth")
    content = torch.load(tmp_path / "new" / "prompts.pth", weights_only=True)
    assert list(content) == ["prompt_learner"]
    written = content["prompt_learner"]
    assert written.keys() == released.keys()
    for name, entry in released.items():
        assert written[name].dtype == entry.dtype and torch.equal(written[name], entry), name
        assert not written[name].requires_grad


def test_fresh_checkpoint_has_the_released_keys_shapes_and_types(
    golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path
) -> None:
    save_prompts(PromptLearner(golden_backbone), tmp_path / "prompts.pth")
    written = load_prompts(tmp_path / "prompts.pth")
    assert {name: (entry.shape, entry.dtype) for name, entry in written.items()} == {
        name: (entry.shape, entry.dtype) for name, entry in released.items()
    }
    for name in released:
        if "token" in name:  # what is not learned comes from the same CLIP
            assert torch.equal(written[name], released[name]), name


@pytest.mark.parametrize("counts", [{"context_tokens": 5, "deep_tokens": 2, "depth": 4}, {"depth": 1}])
def test_counts_are_taken_from_the_file(counts: dict[str, int], golden_backbone: ClipBackbone, tmp_path: Path) -> None:
    learner = PromptLearner(golden_backbone, **counts)
    save_prompts(learner, tmp_path / "prompts.pth")
    read = load_prompt_learner(tmp_path / "prompts.pth", golden_backbone)
    for name in ("context_tokens", "deep_tokens", "depth"):
        assert getattr(read, name) == getattr(learner, name)
    with torch.no_grad():
        assert torch.equal(read(golden_backbone.text), learner(golden_backbone.text))


def test_flags_that_agree(golden_weights: Path, golden_backbone: ClipBackbone, tmp_path: Path) -> None:
    path = golden_weights / "prompts.pth"
    load_prompt_learner(path, golden_backbone, context_tokens=12, deep_tokens=4, depth=9)
    save_prompts(PromptLearner(golden_backbone, depth=1), tmp_path / "shallow.pth")
    load_prompt_learner(tmp_path / "shallow.pth", golden_backbone, deep_tokens=4, depth=1)


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({"context_tokens": 16}, "has n_ctx 12, t_n_ctx 4, depth 9, not n_ctx 16; omit --n_ctx"),
        ({"deep_tokens": 2}, "has n_ctx 12, t_n_ctx 4, depth 9, not t_n_ctx 2; omit --t_n_ctx"),
        ({"depth": 12}, "has n_ctx 12, t_n_ctx 4, depth 9, not depth 12; omit --depth"),
    ],
)
def test_flags_that_disagree(
    counts: dict[str, int], problem: str, golden_weights: Path, golden_backbone: ClipBackbone
) -> None:
    with pytest.raises(InputError, match=problem):
        load_prompt_learner(golden_weights / "prompts.pth", golden_backbone, **counts)


def test_what_is_no_tensor_is_told_from_what_is_missing(released: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({"prompt_learner": {**released, "note": "x"}}, tmp_path / "prompts.pth")
    with pytest.raises(InputError, match="the entries of its 'prompt_learner' are not named tensors"):
        load_prompts(tmp_path / "prompts.pth")


def test_projections_may_be_missing(
    golden_backbone: ClipBackbone, golden_learner: PromptLearner, released: dict[str, Tensor], tmp_path: Path
) -> None:
    path = write({name: entry for name, entry in released.items() if "projections" not in name}, tmp_path / "a.pth")
    read = load_prompt_learner(path, golden_backbone)
    with torch.no_grad():
        assert torch.equal(read(golden_backbone.text), golden_learner(golden_backbone.text))


def test_incomplete_checkpoint(golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path) -> None:
    path = write({name: entry for name, entry in released.items() if name != "ctx_neg"}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="no entry 'ctx_neg'"):
        load_prompt_learner(path, golden_backbone)


def test_entry_of_another_shape(golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path) -> None:
    path = write({**released, "ctx_neg": torch.zeros(1, 1, 3, 64)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"'ctx_neg' is \(1, 1, 3, 64\), expected \(1, 1, 12, 64\)"):
        load_prompt_learner(path, golden_backbone)


def test_prompts_for_a_text_encoder_of_another_width(
    golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path
) -> None:
    path = write({**released, "ctx_pos": torch.zeros(1, 1, 12, 768)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="width 768, while that of clip_tiny is 64"):
        load_prompt_learner(path, golden_backbone)


def test_prompts_of_another_clip_are_noticed(
    golden_weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = torch.load(golden_weights / "clip_tiny.pt", weights_only=True)
    weights["token_embedding.weight"] = weights["token_embedding.weight"].flip(0)
    torch.save(weights, tmp_path / "other.pt")
    own = load_backbone(weights=golden_weights / "clip_tiny.pt")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        load_prompt_learner(golden_weights / "prompts.pth", own)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        load_prompt_learner(golden_weights / "prompts.pth", load_backbone(weights=tmp_path / "other.pt"))
    assert "trained with CLIP weights other than other" in caplog.text


def test_words_that_are_not_those_of_the_file_are_noticed(
    golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changes = (
        {"token_suffix_neg": released["token_suffix_pos"]},
        {"tokenized_prompts_pos": released["tokenized_prompts_neg"]},
        {"token_prefix_neg": released["token_prefix_neg"] + 1},
    )
    for change in changes:
        caplog.clear()
        load_prompt_learner(write({**released, **change}, tmp_path / "a.pth"), golden_backbone)
        assert "or its words were changed: expect poor results" in caplog.text
    ended = released["tokenized_prompts_pos"]
    path = write({**released, "tokenized_prompts_pos": ended.clamp(max=int(ended.max()) - 1)}, tmp_path / "b.pth")
    with pytest.raises(InputError, match="its 'tokenized_prompts_pos' has no end token"):
        load_prompt_learner(path, golden_backbone)


def test_entries_that_are_not_used_are_told(
    golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_prompt_learner(write(released, tmp_path / "a.pth"), golden_backbone)
    assert not caplog.text
    more = {"compound_prompts_visual.0": torch.zeros(4, 64)}
    load_prompt_learner(write({**released, **more}, tmp_path / "b.pth"), golden_backbone)
    assert "b.pth: 1 of its entries are not used, such as 'compound_prompts_visual.0'" in caplog.text


def test_tokens_that_the_text_encoder_cannot_take_name_their_file(
    golden_backbone: ClipBackbone, released: dict[str, Tensor], tmp_path: Path
) -> None:
    turned = {
        name: entry.T.contiguous() for name, entry in released.items() if name.startswith("compound_prompts_text")
    }
    with pytest.raises(InputError, match=r"a\.pth: does not fit clip_tiny \(t_n_ctx 64: the prompt"):
        load_prompt_learner(write({**released, **turned}, tmp_path / "a.pth"), golden_backbone)


@pytest.mark.parametrize("wrap", [dict, lambda moved: {"shadow": [moved]}])
def test_prompts_that_are_there_twice_are_refused(wrap: Any, released: dict[str, Tensor], tmp_path: Path) -> None:
    moved = {name: entry + 1 for name, entry in released.items()}
    torch.save({"prompt_learner": released, "ema": wrap(moved)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"holds several sets of prompts \(prompt_learner, ema"):
        load_prompts(tmp_path / "a.pth")


@pytest.mark.parametrize("content", [b"", b"text", None, {"epoch": 1}, {"prompt_learner": {}}, [1, 2]])
def test_files_that_are_no_checkpoints(content: object, tmp_path: Path) -> None:
    path = tmp_path / "prompts.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    problems = "not a checkpoint|has no entry|has no learned tokens|checkpoint not found"
    with pytest.raises(InputError, match=rf"prompts\.pth: ({problems})"):
        load_prompts(path)


@pytest.mark.parametrize("place", [0, 5, 12])
def test_texts_that_end_among_their_learned_tokens(
    place: int, released: dict[str, Tensor], golden_backbone: ClipBackbone, tmp_path: Path
) -> None:
    ids = released["tokenized_prompts_neg"].clone()
    ids[0, 0, place] = ids.max()
    path = write({**released, "tokenized_prompts_neg": ids}, tmp_path / "prompts.pth")
    with pytest.raises(InputError, match="its 'tokenized_prompts_neg' ends before the last of its learned tokens"):
        load_prompt_learner(path, golden_backbone)


def test_prompts_that_are_the_same_have_no_scores(
    released: dict[str, Tensor], golden_backbone: ClipBackbone, tmp_path: Path
) -> None:
    """All of them would be 0.5."""
    same = {name: released[name.replace("_neg", "_pos")] for name in released}
    with pytest.raises(InputError, match=r"prompts\.pth: gives the normal and the anomalous prompt the same text feat"):
        load_prompt_learner(write(same, tmp_path / "prompts.pth"), golden_backbone)
    features = torch.nn.functional.one_hot(torch.zeros(2, dtype=torch.int64), golden_backbone.embedding_dim).float()
    with pytest.raises(InputError, match="text features: are the same for the normal and the anomalous prompt"):
        PointAD(golden_backbone, features)


def test_embeddings_that_a_fine_tuning_moved_a_little_are_another_clip(
    golden_backbone: ClipBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As those of ViT-L-14 and ViT-L-14-336; the roundings of half precision and bfloat16 are none."""
    save_prompts(PromptLearner(golden_backbone, depth=2), tmp_path / "a.pth")
    embeddings = golden_backbone.text.token_embedding
    for change, is_told in (
        (lambda values: values.half().float(), False),
        (lambda values: values.bfloat16().float(), False),
        (lambda values: values + 3e-4, True),
    ):
        other = copy.deepcopy(golden_backbone)
        other.text.token_embedding.weight.data = change(embeddings.weight.data)
        caplog.clear()
        load_prompt_learner(tmp_path / "a.pth", other)
        assert ("trained with CLIP weights other than" in caplog.text) is is_told
