"""What a pool of processes cannot do is told, whatever part of it fails."""

import multiprocessing
import multiprocessing.queues
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from pointad.compute.pools import lost_managers_noticed


def test_a_pool_without_a_thread_for_its_tasks_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_no_thread(queue: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(multiprocessing.queues.Queue, "_start_thread", start_no_thread)
    with (
        pytest.raises(BrokenProcessPool),
        lost_managers_noticed(),
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
    ):
        list(pool.map(abs, [-1]))
    # A service of another test may have a process of its own, called otherwise.
    assert not [one for one in multiprocessing.active_children() if one.name.startswith("SpawnProcess")]
