"""Environment variables with which a library cannot be imported end a program in a line that names them."""

import getpass
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from pointad.commands.service import child

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import argparse
from pointad.commands.program import run

def main(flags):
    import torch, open_clip

run(main, argparse.ArgumentParser(), [])
"""


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TORCH_LOGS": "bogus", "TORCH_HOME": "/nowhere"}, "TORCH_LOGS"),  # its error tells the value
        ({"PYTORCH_JIT": "x", "TORCH_HOME": "/nowhere"}, "PYTORCH_JIT"),  # its error tells the name
        ({"TORCH_LOGS_FORMAT": "%("}, "TORCH_LOGS_FORMAT"),
        ({"TORCH_LOGS_OUT": "/nowhere/log", "TORCH_HOME": "/elsewhere"}, "TORCH_LOGS_OUT"),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "abc", "HF_HOME": "/nowhere"}, "HF_HUB_DOWNLOAD_TIMEOUT"),
        ({"HF_HUB_ETAG_TIMEOUT": "abc"}, "HF_HUB_ETAG_TIMEOUT"),
        ({"TIMM_FUSED_ATTN": "abc"}, "TIMM_FUSED_ATTN"),
        ({"HF_HUB_ETAG_TIMEOUT": "", "HF_HOME": "/nowhere"}, "HF_HUB_ETAG_TIMEOUT"),
        ({"TIMM_FUSED_ATTN": ""}, "TIMM_FUSED_ATTN"),
    ],
)
def test_variables_that_cannot_be_read_are_named(variables: dict[str, str], named: str) -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    library = {"HF": "huggingface_hub", "TIMM": "timm"}.get(named.split("_")[0], "PyTorch")
    assert done.stderr.startswith(f"error: {named}: {library} cannot be imported with this value (")


@pytest.mark.parametrize("variables", [{"NUMPY_MADVISE_HUGEPAGE": "x"}, {"SOURCE_DATE_EPOCH": ""}])
def test_variables_that_are_read_with_the_flags(variables: dict[str, str]) -> None:
    command = [sys.executable, ROOT / "scripts" / "render_dataset.py", "--help"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {next(iter(variables))}: numpy cannot be imported with this value (")


def test_a_folder_that_torch_cannot_make(tmp_path: Path) -> None:
    """It is in TMPDIR unless a variable tells another, which torch then sets itself."""
    (tmp_path / f"torchinductor_{getpass.getuser()}").touch()
    environment = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    command = [sys.executable, "-c", PROGRAM]
    environment["TMPDIR"] = str(tmp_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: TORCHINDUCTOR_CACHE_DIR: PyTorch cannot be imported with this value (")
    assert done.stderr.endswith("; set it to a folder of yours\n")


def fail_as_torch(text: str) -> str:
    exec(compile(f"raise ValueError({text!r})", "torch/__init__.py", "exec"), {"__name__": "torch"})
    return ""


def test_a_service_tells_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_LOGS", "bogus")
    answer = child._attempt(partial(fail_as_torch, "\nInvalid: bogus\nmore"), child.READY, "not loaded")
    assert answer.outcome == child.REFUSED
    assert (
        answer.text
        == b"TORCH_LOGS: PyTorch cannot be imported with this value (Invalid: bogus); unset it, or give another"
    )


def test_errors_of_importing_torch_stay_faults_without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("TORCH", "PYTORCH"))]:
        monkeypatch.delenv(name)
    answer = child._attempt(partial(fail_as_torch, "broken"), child.READY, "not loaded")
    assert answer.outcome == child.FAULT
