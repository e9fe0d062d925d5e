"""A training that is killed is continued by the same command and leaves the files of one that was not interrupted."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from commands.programs import ROOT, run_program

EPOCHS = 8


def test_killed_training_is_continued(golden_inputs: Path, tmp_path: Path) -> None:
    arguments = [
        *("--data_path", golden_inputs / "data", "--clip_weights", golden_inputs / "clip_tiny.pt"),
        *("--train_class", "cookie", "--epoch", EPOCHS, "--batch_size", 5, "--feature_cache", tmp_path / "cache"),
    ]
    uninterrupted, continued = tmp_path / "uninterrupted", tmp_path / "continued"
    done = run_program("train.py", *arguments, "--save_path", uninterrupted)
    assert done.returncode == 0 and "encoded 45 pictures, 0 from the cache" in done.stderr, done.stderr[-2000:]

    command = [sys.executable, str(ROOT / "train.py"), *map(str, arguments), "--save_path", str(continued)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not (continued / "epoch_1.pth").is_file():  # written after the state of its epoch
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    written = [path for path in continued.glob("epoch_*.pth") if not path.name.startswith(".")]
    assert 0 < len(written) < EPOCHS

    done = run_program("train.py", *arguments, "--save_path", continued)
    assert done.returncode == 0 and "continuing after epoch" in done.stderr, done.stderr[-2000:]
    assert "encoded 0 pictures, 45 from the cache" in done.stderr
    assert (continued / "losses.csv").read_text() == (uninterrupted / "losses.csv").read_text()
    states = [
        torch.load(folder / f"epoch_{EPOCHS}.pth", weights_only=True)["prompt_learner"]
        for folder in (uninterrupted, continued)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
