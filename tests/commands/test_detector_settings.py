"""Programs that inspect single scans compare their settings with those of the prompts' training, as test.py does."""

import shutil
from pathlib import Path

import pytest

from pointad.commands import predict
from pointad.commands.detector import load_detector
from pointad.commands.predict_settings import PredictSettings
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.training.run_folder import write_origin


@pytest.fixture
def checkpoint(golden_weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(golden_weights / "prompts.pth", tmp_path / "epoch_1.pth"))


def load(checkpoint: Path, weights: Path, *flags: str) -> None:
    arguments = ["scan.ply", "--checkpoint_path", str(checkpoint), "--clip_weights", str(weights / "clip_tiny.pt")]
    parsed = predict.build_parser().parse_args([*arguments, "--device", "cpu", *flags])
    load_detector(PredictSettings.from_flags(parsed).detector)


def test_prompts_of_another_clip_are_refused(checkpoint: Path, golden_weights: Path) -> None:
    write_origin(checkpoint, {"backbone": "ViT-H", "backbone_fingerprint": "0" * 64}, 1)
    with pytest.raises(InputError, match=r"epoch_1\.pth: was learned with another CLIP \(ViT-H\), not with"):
        load(checkpoint, golden_weights)


def test_other_settings_than_in_training_are_told(
    checkpoint: Path, golden_weights: Path, golden_backbone: ClipBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    own = {"backbone_fingerprint": golden_backbone.fingerprint, "image_size": golden_backbone.image_size}
    write_origin(checkpoint, {**own, "features_list": [golden_backbone.depth], "precision": "fp32"}, 1)
    load(checkpoint, golden_weights)
    assert "than in training" not in caplog.text
    load(checkpoint, golden_weights, "--features_list", "1")
    assert f"than in training: trained with blocks {golden_backbone.depth}" in caplog.text
    caplog.clear()
    write_origin(checkpoint, {**own, "image_size": 518}, 1)
    load(checkpoint, golden_weights)
    assert "than in training: trained with pictures of 518" in caplog.text


def test_the_demo_prompts_too_are_compared_with_their_training(caplog: pytest.LogCaptureFixture) -> None:
    for words, told in (
        ([], ""),
        (["--features_list", "4", "--precision", "bf16"], "blocks 8; trained with precision fp32"),
    ):
        caplog.clear()
        parsed = predict.build_parser().parse_args(["scan.ply", "--device", "cpu", *words])
        load_detector(PredictSettings.from_flags(parsed).detector)
        assert ("than in training" in caplog.text) == bool(told) and told in caplog.text


def test_prompts_learned_with_another_fusion_of_the_views_are_told(
    checkpoint: Path, golden_weights: Path, golden_backbone: ClipBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    write_origin(checkpoint, {"backbone_fingerprint": golden_backbone.fingerprint, "view_fusion": "max"}, 1)
    load(checkpoint, golden_weights)
    assert "than in training: trained with views fused by max" in caplog.text
