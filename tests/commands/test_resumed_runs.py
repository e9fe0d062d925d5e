"""A training that is killed is continued by the same command and leaves the files of one that was not interrupted."""

import signal
import subprocess
import sys
from pathlib import Path

import torch
from commands.programs import ROOT, run_program

EPOCHS, KILLED_AT = 8, 3
KILLED = f"""
import os, signal, sys
from pathlib import Path

from pointad.commands import train, training_run
from pointad.commands.program import run

save = training_run.save_checkpoint

def save_and_die(learner, folder, epoch, record):
    save(learner, folder, epoch, record)
    if epoch == {KILLED_AT}:
        os.kill(os.getpid(), signal.SIGKILL)

training_run.save_checkpoint = save_and_die
run(train.main, train.build_parser())
"""


def test_killed_training_is_continued(golden_inputs: Path, tmp_path: Path) -> None:
    arguments = [
        *("--data_path", golden_inputs / "data", "--clip_weights", golden_inputs / "clip_tiny.pt"),
        *("--train_class", "cookie", "--epoch", EPOCHS, "--batch_size", 5, "--feature_cache", tmp_path / "cache"),
    ]
    uninterrupted, continued = tmp_path / "uninterrupted", tmp_path / "continued"
    done = run_program("train.py", *arguments, "--save_path", uninterrupted)
    assert done.returncode == 0 and "encoded 45 pictures, 0 from the cache" in done.stderr, done.stderr[-2000:]

    command = [sys.executable, "-c", KILLED, *map(str, arguments), "--save_path", str(continued)]
    killed = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert sorted(continued.glob("epoch_*.pth")) == [continued / f"epoch_{epoch + 1}.pth" for epoch in range(KILLED_AT)]

    done = run_program("train.py", *arguments, "--save_path", continued)
    assert done.returncode == 0 and f"continuing after epoch {KILLED_AT}" in done.stderr, done.stderr[-2000:]
    assert "encoded 0 pictures, 45 from the cache" in done.stderr
    assert (continued / "losses.csv").read_text() == (uninterrupted / "losses.csv").read_text()
    states = [
        torch.load(folder / f"epoch_{EPOCHS}.pth", weights_only=True)["prompt_learner"]
        for folder in (uninterrupted, continued)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
