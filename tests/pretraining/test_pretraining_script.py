"""The pre-training's script: what it refuses before anything is made, and a run by two processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pointad.commands.places import SOURCE
from pointad.errors import InputError
from pointad.model.backbone import DEMO_NAME, load_demo_backbone
from pretraining.command import build_parser
from pretraining.run import check, chosen_device, pretrain

SCRIPT = SOURCE / "scripts" / "pretrain_demo_backbone.py"


def refusal(*flags: str) -> str:
    arguments = build_parser().parse_args(["--device", "cpu", *flags])
    chosen_device(arguments)
    with pytest.raises(InputError) as refused:
        check(arguments)
    return str(refused.value)


def test_what_cannot_be_learned_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    assert "is not there" in refusal("--start_from", str(weights))
    weights.write_bytes(b"")
    assert "written over" in refusal("--start_from", str(weights), "--weights", str(tmp_path / "." / weights.name))
    assert "take 12 or more" in refusal("--batch_size", "11", "--processes", "3")
    assert "--objects" in refusal("--objects", "2", "--processes", "3")
    check(build_parser().parse_args(["--processes", "2", "--start_from", str(weights), "--objects", "2"]))


@pytest.mark.slow
def test_what_goes_wrong_in_one_of_several_processes_is_one_line(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"no weights")
    flags = [
        "--objects",
        "2",
        "--batch_size",
        "16",
        "--processes",
        "2",
        "--device",
        "cpu",
        "--start_from",
        str(weights),
    ]
    flags += ["--weights", str(tmp_path / "new.safetensors"), "--pictures", str(tmp_path / "pictures")]
    with pytest.raises(InputError, match=r"weights\.safetensors: .*not weights of the model"):
        pretrain(build_parser().parse_args(flags))


@pytest.mark.slow
def test_two_processes_learn_the_same_whether_interrupted_or_not(tmp_path: Path) -> None:
    flags = ["--objects", "6", "--wording_steps", "2", "--guide_steps", "3", "--steps", "4", "--alone_steps", "3"]
    flags += ["--batch_size", "16", "--report_every", "1", "--processes", "2", "--device", "cpu"]

    def command(name: str) -> list[str]:
        places = ["--weights", str(tmp_path / f"{name}.safetensors"), "--pictures", str(tmp_path / name)]
        return [sys.executable, str(SCRIPT), *flags, *places]

    subprocess.run(command(DEMO_NAME), check=True, timeout=600)
    for moment, send, number in (("guide 2", os.kill, signal.SIGTERM), ("pictures 2", os.killpg, signal.SIGINT)):
        with subprocess.Popen(command("again"), stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
            assert run.stdout is not None
            for line in run.stdout:
                if line.startswith(moment):
                    send(run.pid, number)  # Ctrl-C reaches all processes, SIGTERM the first alone
        assert run.returncode == 128 + number
    finished = subprocess.run(command("again"), check=True, timeout=600, stdout=subprocess.PIPE, text=True)
    assert "wording" not in finished.stdout  # the guide was kept
    whole = (tmp_path / f"{DEMO_NAME}.safetensors").read_bytes()
    assert (tmp_path / "again.safetensors").read_bytes() == whole
    features = load_demo_backbone(tmp_path).encode_texts(["an object"])
    assert torch.isfinite(features).all()
