"""A training whose state is lost: finished prompts stay what they are, and more epochs begin with the first one."""

from pathlib import Path

import pytest
from programs_clip import have_programs_take
from robustness.invocation import invoke

from pointad.model.backbone import ClipBackbone


@pytest.fixture(autouse=True)
def ready_backbone(golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in this process take the small CLIP as it was loaded once."""
    have_programs_take(golden_backbone, monkeypatch)


def test_finished_prompts_need_no_state(golden_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"

    def train(epochs: int, *flags: object) -> str:
        data = ("--data_path", golden_inputs / "data", "--clip_weights", golden_inputs / "clip_tiny.pt")
        how = ("--train_class", "cookie", "--depth", 2, "--num_workers", 0, "--feature_cache", tmp_path / "cache")
        ending = invoke("train.py", *data, *how, "--epoch", epochs, "--save_path", out, *flags)
        assert ending.code == 0, ending.err
        return ending.err

    train(1)
    prompts = (out / "epoch_1.pth").read_bytes()
    (out / "training_state.pt").unlink()
    (out / "losses.csv").unlink()
    for alone in (True, False):  # with other processes, the model is loaded first
        monkeypatch.setattr("pointad.commands.train.is_alone", lambda alone=alone: alone)
        assert f"{out / 'epoch_1.pth'} already exists; use --restart to train again" in train(1)
        assert not (out / "losses.csv").exists()
    assert f"{out}: holds prompts but no training_state.pt to continue from" in train(2)
    assert (out / "epoch_1.pth").read_bytes() == prompts and (out / "epoch_2.pth").is_file()
    (out / "training_state.pt").unlink()
    assert "already exists" not in train(2, "--restart") and (out / "training_state.pt").is_file()
