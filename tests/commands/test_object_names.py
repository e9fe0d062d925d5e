"""Prompts that name the class keep to it: in a training that goes on from others, in tests, and for single scans."""

from pathlib import Path

import pytest

from pointad.commands import test, train
from pointad.commands.prompt_sets import load_prompt_sets
from pointad.commands.test_settings import TestSettings
from pointad.commands.train_settings import TrainSettings
from pointad.commands.training_run import make_learner
from pointad.evaluation.run_record import RunRecord
from pointad.inspection.predictor import PointAD
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import save_prompts
from pointad.model.prompt_learner import PromptLearner


@pytest.fixture
def about_tires(golden_backbone: ClipBackbone, tmp_path: Path) -> Path:
    """Prompts that name a class, in a folder that says nothing about them."""
    path = tmp_path / "prompts" / "epoch_1.pth"
    path.parent.mkdir()
    save_prompts(PromptLearner(golden_backbone, depth=2, object_name="tire"), path)
    return path


def test_prompts_know_their_noun(golden_backbone: ClipBackbone) -> None:
    learner = PromptLearner(golden_backbone, depth=2, object_name="cable gland")
    assert learner.says(golden_backbone, "cable gland") and not learner.says(golden_backbone, "object")
    learner.name_object(golden_backbone, "object")
    assert learner.says(golden_backbone, "object")


@pytest.mark.parametrize(("kind", "noun"), [("learned", "object"), ("object_aware", "bagel")])
def test_a_training_that_starts_from_others_names_its_own_class(
    kind: str, noun: str, about_tires: Path, golden_backbone: ClipBackbone
) -> None:
    flags = ["--train_class", "bagel", "--prompts", kind, "--init_checkpoint", str(about_tires)]
    settings = TrainSettings.from_flags(train.build_parser().parse_args(flags))
    assert make_learner(settings, golden_backbone).says(golden_backbone, noun)


def test_a_test_notices_that_prompts_name_a_class(about_tires: Path, golden_backbone: ClipBackbone) -> None:
    flags = ["--data_path", "data", "--checkpoint_path", str(about_tires)]
    settings = TestSettings.from_flags(test.build_parser().parse_args(flags))
    (loaded,) = load_prompt_sets(settings, golden_backbone, RunRecord(), {"bagel", "rope"})
    assert loaded.record.object_aware
    assert not loaded.prompts.text_features("bagel").equal(loaded.prompts.text_features("rope"))


def test_prompts_about_object_that_are_tested_with_a_class_are_told(
    about_tires: Path, golden_weights: Path, golden_backbone: ClipBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    for path, told in (
        (golden_weights / "prompts.pth", ("trained with 'object' instead of the class",)),
        (about_tires, ()),
    ):
        flags = ["--data_path", "data", "--checkpoint_path", str(path), "--prompts", "object_aware"]
        settings = TestSettings.from_flags(test.build_parser().parse_args(flags))
        (loaded,) = load_prompt_sets(settings, golden_backbone, RunRecord(), {"bagel", "rope"})
        assert loaded.record.differences == told
        assert ("trained with 'object'" in caplog.text) == bool(told)
        caplog.clear()


def test_single_scans_are_told_about(about_tires: Path, golden_weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    PointAD.from_checkpoint(golden_weights / "prompts.pth", golden_weights / "clip_tiny.pt", "cpu")
    assert "training class" not in caplog.text
    PointAD.from_checkpoint(about_tires, golden_weights / "clip_tiny.pt", "cpu")
    assert f"{about_tires}: these prompts contain the name of their training class" in caplog.text
