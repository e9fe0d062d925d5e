"""A detector in processes that were forked from the one that loaded it; PyTorch's threads do not follow it there."""

import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from sample_scans import closed_shape

from pointad import PointAD
from pointad.compute.forks import compute_safely
from pointad.reference.reference import Reference

CLOUDS = [closed_shape(900, seed) for seed in range(2)]


def answer(work: Callable[[], object], connection: Connection) -> None:
    connection.send(work())


def in_a_fork(work: Callable[[], object], seconds: float = 120) -> object:
    """What a function returns in a process that is a fork of this one."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=answer, args=(work, there), daemon=True)
    process.start()
    there.close()
    try:
        assert here.poll(seconds), "the fork never ends"
        return here.recv()
    finally:
        process.kill()
        process.join()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_find_what_their_parent_finds(detector: PointAD) -> None:
    def scores() -> list[float]:
        reference = detector.make_reference(CLOUDS, views=2)
        return [detector.predict(CLOUDS[0], views=2, reference=known).score for known in (None, reference)]

    before = torch.get_num_threads()
    torch.set_num_threads(2)  # with one, nothing would be waited for
    try:
        assert in_a_fork(scores) == pytest.approx(scores(), abs=1e-5)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forks_load_detectors_and_references_and_take_copies(
    detector: PointAD, golden_weights: Path, tmp_path: Path
) -> None:
    detector.make_reference(CLOUDS, views=2).save(tmp_path / "reference.safetensors")
    pickled = pickle.dumps(detector)

    def loaded() -> float:
        own = PointAD.from_checkpoint(golden_weights / "prompts.pth", golden_weights / "clip_tiny.pt", device="cpu")
        return own.predict(CLOUDS[0], views=2).score

    def referenced() -> int:
        return len(Reference.load(tmp_path / "reference.safetensors").names)

    def copied() -> float:
        return pickle.loads(pickled).predict(CLOUDS[0], views=2).score

    before = torch.get_num_threads()
    torch.set_num_threads(2)  # with one, nothing would be waited for
    try:
        torch.ones(1 << 20).exp_()  # whose threads a fork lacks
        for work in (loaded, referenced, copied):
            assert in_a_fork(work) == pytest.approx(work(), abs=1e-5)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_may_take_more_threads_again(detector: PointAD) -> None:
    def threads() -> list[int]:
        detector.predict(CLOUDS[0], views=2)
        found = [torch.get_num_threads()]
        torch.set_num_threads(3)
        compute_safely()
        return [*found, torch.get_num_threads()]

    assert in_a_fork(threads) == [1, 3]


LATE = """
import multiprocessing, torch

def compute(connection):
    from pointad.compute.forks import compute_safely
    compute_safely()
    torch.ones(1 << 20).exp_()
    connection.send(torch.get_num_threads())

{first}
torch.set_num_threads(2)
torch.ones(1 << 20).exp_()
here, there = multiprocessing.Pipe()
process = multiprocessing.get_context("fork").Process(target=compute, args=(there,), daemon=True)
process.start()
print(here.recv() if here.poll(60) else "the fork never ends")
process.kill()
"""


@pytest.mark.parametrize("first", ["", "import pointad"])
def test_forks_that_import_the_library_first(first: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LATE.format(first=first)], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "1", ran.stderr
