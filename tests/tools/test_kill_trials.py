"""The tool that kills programs: a short run of it, and that it would notice what is wrong."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands.programs import ROOT

from tools.killing.trial import Plan, complaints, differences


@pytest.mark.slow
def test_a_short_run(tmp_path: Path) -> None:
    command = [sys.executable, "tools/kill_runs.py", "--folder", str(tmp_path / "runs"), "--moments", "1"]
    command += ["--programs", "upkeep of the cache", "--processes", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.count("1 of 1 well") == 3, done.stdout + done.stderr


def plan(number: signal.Signals, processes: int = 1) -> Plan:
    return Plan(number, processes, 0.0, None, 0.0, group=False, everyone=True, fresh=False)


@pytest.mark.parametrize(
    ("status", "said", "how", "problem"),
    [
        (130, "log\ninterrupted; run the same command again to continue\n", plan(signal.SIGINT), None),
        (143, "bar\rterminated; run the same command again to continue\n", plan(signal.SIGTERM), None),
        (-9, "log\n", plan(signal.SIGKILL), None),
        (0, "log\n", plan(signal.SIGINT), None),
        (2, "error: in use by another run\n", plan(signal.SIGINT, 2), None),
        (143, "log\n", plan(signal.SIGTERM), "its last line is missing"),
        (130, "interrupted; run the same command again to continue\n", plan(signal.SIGTERM), "ended with 130"),
        (0, "Traceback (most recent call last):\n", plan(signal.SIGINT), "Traceback on standard error"),
        (2, "log\n", plan(signal.SIGINT, 2), "exit status 2 without a line"),
    ],
)
def test_endings(status: int, said: str, how: Plan, problem: str | None) -> None:
    assert complaints(status, said, how, was_killed=True) == ([] if problem is None else [problem])


def test_differences_of_folders() -> None:
    found = differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    assert found == ["missing: c", "left over: a", "different: b"]
