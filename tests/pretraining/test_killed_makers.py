"""Killed runs of the pre-training leave no process that makes pictures, and share no folder."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pointad.commands.places import SOURCE
from pointad.errors import InputError
from pointad.files.locks import FOLDER_LOCK, try_lock
from pretraining.command import build_parser
from pretraining.run import pretrain

MAKER = """
import sys, time
from pathlib import Path
from pretraining.picture_store import StoreMaker
with StoreMaker(Path(sys.argv[1]), objects=200, seed=1, workers=2):
    print("making", flush=True)
    time.sleep(600)
"""


def is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_maker_that_is_killed(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKER, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=SOURCE, start_new_session=True
    ) as maker:
        assert maker.stdout is not None and maker.stdout.readline() == b"making\n"
        maker.send_signal(number)
        deadline = time.monotonic() + 60
        try:
            while maker.poll() is None or is_there(maker.pid):
                assert time.monotonic() < deadline, "its workers are still there"
                time.sleep(0.05)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(maker.pid, signal.SIGKILL)


def test_a_folder_of_pictures_belongs_to_one_run(tmp_path: Path) -> None:
    flags = ["--pictures", str(tmp_path), "--device", "cpu", "--objects", "2", "--pictures_only"]
    with try_lock(tmp_path / FOLDER_LOCK) as ours:
        assert ours
        with pytest.raises(InputError, match="in use by another run"):
            pretrain(build_parser().parse_args(flags))
    assert [path.name for path in tmp_path.iterdir()] == []
