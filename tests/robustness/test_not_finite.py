"""What is not a number ends in one line: prompts, scores, thresholds, diverged training. Nothing passes unscored."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from robustness.invocation import assert_one_error_line, files_below, invoke
from sample_scans import closed_shape

from pointad import PointAD
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.prompt_learner import PromptLearner
from pointad.model.text_features import learned_text_features, plain_text_features
from pointad.scoring.finiteness import check_scores
from pointad.training.training import Training


def scaled_prompts(source: Path, target: Path, factor: float) -> Path:
    """Finite prompts that overflow inside the text encoder."""
    content = torch.load(source, weights_only=True)
    for name, entry in content["prompt_learner"].items():
        if name.startswith("ctx_"):
            entry *= factor
    torch.save(content, target)
    return target


@pytest.fixture
def overflowing(golden_weights: Path, tmp_path: Path) -> Path:
    return scaled_prompts(golden_weights / "prompts.pth", tmp_path / "overflowing.pth", 1e30)


def test_prompts_that_overflow_are_refused_when_loaded(overflowing: Path, golden_backbone: ClipBackbone) -> None:
    with pytest.raises(InputError, match=r"overflowing\.pth: gives text features that are not finite"):
        load_prompt_learner(overflowing, golden_backbone)


@pytest.mark.usefixtures("ready_backbone")
def test_prompts_that_overflow_are_not_tested(
    overflowing: Path, two_samples: Path, model_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--data_path", two_samples, "--views", 1, "--num_workers", 0, *model_flags)
    ending = invoke("test.py", *flags, "--checkpoint_path", overflowing, "--save_path", tmp_path / "out")
    assert_one_error_line(ending, "overflowing.pth", "not finite")
    assert files_below(tmp_path / "out") <= {"log.txt"}


def test_no_verdict_without_a_score(overflowing: Path, model_flags: tuple[object, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", closed_shape(2000))
    flags = ("--checkpoint_path", overflowing, *model_flags, "--output", tmp_path / "out", "--threshold", 0.5)
    ending = invoke("scripts/predict.py", tmp_path / "scan.npy", *flags)
    assert_one_error_line(ending, "not finite")
    assert "pass" not in ending.out


@pytest.mark.parametrize("flag", ["--threshold", "--region_threshold"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NaN"])
def test_thresholds_are_numbers(flag: str, value: str, tmp_path: Path) -> None:
    ending = invoke("scripts/predict.py", tmp_path / "scan.npy", f"{flag}={value}")
    assert ending.code == 2 and "is not a finite number" in ending.err


def test_heat_ranges_are_numbers(tmp_path: Path) -> None:
    ending = invoke("scripts/predict.py", tmp_path / "scan.npy", "--heat_range", "nan", 1)
    assert ending.code == 2 and "is not a finite number" in ending.err


def test_scores_that_are_none_are_refused() -> None:
    check_scores([0.0, 1.5], "a scan")
    for score in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="a scan: its scores are not finite"):
            check_scores([0.5, score], "a scan")


@pytest.mark.usefixtures("ready_backbone")
def test_samples_without_a_score_are_neither_ranked_nor_learned_from(
    two_samples: Path,
    test_flags: tuple[object, ...],
    train_flags: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pictures whose features overflow, as in half precision; a smaller learning rate would not help."""
    encode = ClipBackbone.encode_images

    def broken(self: ClipBackbone, images: torch.Tensor, layers: object = None) -> object:
        found = encode(self, images, layers)
        found.global_features.fill_(float("nan"))
        return found

    monkeypatch.setattr(ClipBackbone, "encode_images", broken)
    ending = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *test_flags)
    assert_one_error_line(ending, "cookie/good/000: its features are not finite", "--precision fp32")
    assert "results.json" not in files_below(tmp_path / "out")
    ending = invoke("train.py", "--data_path", two_samples, "--save_path", tmp_path / "trained", *train_flags)
    assert_one_error_line(ending, "cookie/good/000: its features are not finite", "--precision fp32")
    assert files_below(tmp_path / "trained") <= {"log.txt"}


def test_nothing_is_compared_with_good_scans_by_scores_that_are_none(
    small_backbone: ClipBackbone, text_features: torch.Tensor
) -> None:
    overflowing = copy.deepcopy(small_backbone)
    with torch.no_grad():
        overflowing.vision.ln_post.weight.mul_(1e38)
    detector, scans = PointAD(overflowing, text_features), [closed_shape(500, seed) for seed in range(3)]
    with pytest.raises(InputError, match=r"^good scan 1: its features are not finite"):
        detector.make_reference(scans[:1], views=1)
    with pytest.raises(InputError, match=r"^scan: its features are not finite"):
        detector.predict(scans[1], views=1)


def test_text_features_of_every_class_are_checked(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone)
    with torch.no_grad():
        learner.ctx_pos.fill_(1e30)
    with pytest.raises(InputError, match="learned prompt 'object'"):
        learned_text_features(golden_backbone, learner)("any")
    assert plain_text_features(golden_backbone)("any").isfinite().all()


@pytest.mark.usefixtures("ready_backbone")
@pytest.mark.parametrize("rate", [1e6, 1e12])
def test_diverged_training_stops(
    rate: float, two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    flags = ("--data_path", two_samples, *train_flags, "--save_path", output, "--epoch", 4, "--learning_rate", rate)
    ending = invoke("train.py", *flags)
    assert_one_error_line(ending, f"learning rate {rate:g}", "not finite in step", "of epoch", "--learning_rate")
    for path in output.glob("*.pth"):
        for entry in torch.load(path, weights_only=True)["prompt_learner"].values():
            assert entry.isfinite().all()
    if (output / "training_state.pt").exists():
        state = torch.load(output / "training_state.pt", weights_only=True)["state"]
        assert all(entry.isfinite().all() for entry in state["learner"].values())


@pytest.mark.usefixtures("ready_backbone")
def test_prompts_too_large_after_the_last_epoch_are_not_saved(
    two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    """Its losses are finite, and so are the tokens; test.py would refuse them."""
    output = tmp_path / "out"
    ending = invoke(
        "train.py", "--data_path", two_samples, *train_flags, "--save_path", output, "--learning_rate", 1e12
    )
    assert_one_error_line(ending, "not finite in step 1 of epoch 1")
    assert not list(output.glob("*.pth"))


@pytest.mark.usefixtures("ready_backbone")
def test_the_last_good_epoch_is_kept(
    two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checkpoint too, though --save_freq would have left it out; going on from it is possible."""
    output = tmp_path / "out"
    steps = []
    step = Training._step

    def third_breaks(self: Training, chosen: object) -> torch.Tensor:
        losses = step(self, chosen)
        steps.append(1)
        if len(steps) == 3:
            with torch.no_grad():
                for each in self._learner.learned_parameters():
                    each.fill_(float("nan"))
        return losses

    monkeypatch.setattr(Training, "_step", third_breaks)
    flags = ("--data_path", two_samples, *train_flags, "--save_path", output, "--epoch", 5, "--save_freq", 5)
    ending = invoke("train.py", *flags)
    assert_one_error_line(ending, "step 1 of epoch 3", "the prompts of epoch 2 are the last good ones")
    assert sorted(path.name for path in output.glob("*.pth")) == ["epoch_2.pth"]
    kept = torch.load(output / "epoch_2.pth", weights_only=True)["prompt_learner"]
    state = torch.load(output / "training_state.pt", weights_only=True)["state"]
    assert len(state["losses"]) == 2
    assert all(torch.equal(kept[name], entry) for name, entry in state["learner"].items())
    assert json.loads((output / "run.json").read_text())["epochs"] == 5


@pytest.mark.parametrize(
    "flags", [("--heat_range", 0, "1e-320"), ("--region_threshold", "1e300"), ("--threshold", "1e39")]
)
def test_numbers_beyond_those_of_scores(flags: tuple[object, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", np.ones((200, 3)))
    ending = invoke("scripts/predict.py", tmp_path / "scan.npy", "--output", tmp_path / "out", *flags)
    assert ending.code == 2 and str(flags[0]) in ending.err and "Warning" not in ending.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("factor", [0.0, 1e25])
def test_pictures_without_a_direction_have_no_score(
    factor: float, two_samples: Path, golden_weights: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    """All similarities would be 0, and all scores 0.5."""
    state = dict(torch.load(golden_weights / "clip_tiny.pt", weights_only=True))
    state["visual.proj"] = state["visual.proj"].float() * factor
    torch.save(state, tmp_path / "clip.pt")
    flags = (*test_flags, "--clip_weights", tmp_path / "clip.pt", "--feature_cache", tmp_path / "features")
    for _ in range(2):  # nothing comes from the cache either
        ending = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *flags)
        assert_one_error_line(ending, "cookie/good/000: its features are not finite, or have no direction")
    assert not list((tmp_path / "features").rglob("*.safetensors"))
    cloud = tmp_path / "scan.xyz"
    np.savetxt(cloud, closed_shape(500))
    flags = ("--checkpoint_path", golden_weights / "prompts.pth", "--clip_weights", tmp_path / "clip.pt", "--views", 2)
    ending = invoke("scripts/predict.py", cloud, "--output", tmp_path / "predicted", *flags)
    assert_one_error_line(ending, "scan.xyz: its features are not finite, or have no direction")
