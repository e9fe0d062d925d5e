"""Environment variables that would round products are taken out of a program's environment."""

import logging
import os
import subprocess
import sys

import pytest

from pointad.commands.rounding_variables import ignore_rounding_variables

LOUD = {"NVIDIA_TF32_OVERRIDE": "1", "ONEDNN_DEFAULT_FPMATH_MODE": "bf16", "DNNL_DEFAULT_FPMATH_MODE": "ANY"}
QUIET = {"NVIDIA_TF32_OVERRIDE": "0", "ONEDNN_DEFAULT_FPMATH_MODE": "strict", "OMP_NUM_THREADS": "1"}
PROGRAM = """
import argparse
from pointad.commands.program import run

def main(flags):
    import torch
    print(torch.get_float32_matmul_precision())

run(main, argparse.ArgumentParser(), [])
"""


def test_only_those_that_round(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    quiet, loud = dict(QUIET), {**LOUD, "HOME": "/"}
    ignore_rounding_variables(quiet)
    assert quiet == QUIET and not caplog.messages
    ignore_rounding_variables(loud)
    assert loud == {"HOME": "/"}
    assert [message.partition("=")[0] for message in caplog.messages] == list(LOUD)


def test_programs_compute_in_single_precision() -> None:
    environment = {**os.environ, "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "highest\n"
    assert done.stderr.startswith("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1: ignored") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["OPENCV_FOR_THREADS_NUM", "OPENCV_IO_MAX_IMAGE_PIXELS"])
@pytest.mark.parametrize("value", ["abc", "", "9" * 25])
def test_what_opencv_cannot_read_is_ignored(name: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    ignore_rounding_variables(variables := {name: value})
    assert not variables and f"{name}={value}: ignored" in caplog.text
    ignore_rounding_variables(usual := {name: "2"})
    assert usual == {name: "2"}
