"""What a pool of processes cannot do is told, whatever part of it fails."""

import multiprocessing
import multiprocessing.queues
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from pointad.compute.pools import lost_managers_noticed


def test_a_pool_without_a_thread_for_its_tasks_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_no_thread(queue: object) -> None:
        raise RuntimeError("can't start new thread")

    context = multiprocessing.get_context("spawn")
    other = context.Process(target=time.sleep, args=(600,))
    other.start()
    try:
        before = multiprocessing.active_children()
        monkeypatch.setattr(multiprocessing.queues.Queue, "_start_thread", start_no_thread)
        with pytest.raises(BrokenProcessPool), lost_managers_noticed(), ProcessPoolExecutor(1, context) as pool:
            list(pool.map(abs, [-1]))
        assert other.is_alive(), "it is not the pool's"
        assert set(multiprocessing.active_children()) <= set(before)
    finally:
        other.kill()
        other.join()
