"""Processes that never meet, lose each other or have different flags end in one line, not in a traceback."""

import signal
import subprocess
import sys

import pytest
import torch
from commands.programs import ROOT, held_port

from pointad.compute.processes import Processes, joined_processes, require_alone
from pointad.errors import InputError

FIRST_OF_TWO = Processes(0, 2)
WAITING = """
import logging, sys
from pointad.compute.processes import joined_processes
logging.basicConfig(level=logging.INFO)
try:
    with joined_processes():
        pass
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_ends_the_wait_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with held_port() as port:
        for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}.items():
            monkeypatch.setenv(name, str(value))
        process = subprocess.Popen([sys.executable, "-c", WAITING], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            assert "waiting for all 2 processes" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 130
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("rank", ["2", "7"])
def test_a_number_beyond_that_of_the_processes(rank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    with pytest.raises(InputError, match=f"RANK={rank}"), joined_processes():
        pass


def test_the_end_of_another_process_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: object) -> None:
        raise RuntimeError(
            "[pair.cc:561] Connection closed by peer [127.0.0.1]:5. This is typically caused by a crash."
        )

    for name in ("all_reduce", "gather_object", "broadcast_object_list", "barrier"):
        monkeypatch.setattr(torch.distributed, name, lose)
    for talk in (
        lambda: FIRST_OF_TWO.sum(torch.ones(2)),
        lambda: FIRST_OF_TWO.gather("item"),
        lambda: FIRST_OF_TWO.broadcast("item"),
        FIRST_OF_TWO.wait,
    ):
        with pytest.raises(InputError, match="Connection closed by peer") as caught:
            talk()
        assert "typically" not in str(caught.value)


def test_a_lack_of_memory_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.distributed, "all_reduce", fill)
    with pytest.raises(torch.OutOfMemoryError):
        FIRST_OF_TWO.sum(torch.ones(2))


def test_processes_with_other_flags_or_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(items: list[object]) -> None:
        items[0] = {"seed": 1, "samples": "a", "depth": 9}

    monkeypatch.setattr(torch.distributed, "broadcast_object_list", send)
    second = Processes(1, 2)
    second.require_same({"seed": 1, "samples": "a", "depth": 9})
    with pytest.raises(InputError, match="process 1 differs from the first one in samples, seed"):
        second.require_same({"seed": 2, "samples": "b", "depth": 9})


def test_what_several_processes_cannot_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    require_alone("--shots")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match=r"--shots: works in one process, not in 2 .*torchrun"):
        require_alone("--shots")
