"""A detector in processes that were forked from the one that loaded it; PyTorch's threads do not follow it there."""

import copy
import multiprocessing
import os
import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest
import torch
from sample_scans import closed_shape

from pointad import PointAD
from pointad.compute.forks import HomeProcess

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


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda home: pickle.loads(pickle.dumps(home))])
def test_copies_are_at_home_where_they_are_made(
    copied: Callable[[HomeProcess], HomeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    home = HomeProcess()
    monkeypatch.setattr(os, "getpid", lambda: 0)
    copied(home).compute_safely()
    assert not given
    home.compute_safely()
    assert given == [1]
