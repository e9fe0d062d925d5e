"""Pools of processes, which are waited for in vain when their manager ends: a thread that has to start another one."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures.process import _ExecutorManagerThread


@contextlib.contextmanager
def lost_managers_noticed() -> Iterator[None]:
    """Have the tasks of a pool whose manager ends by an error raise BrokenProcessPool within the block."""
    before = threading.excepthook

    def break_pool(arguments: threading.ExceptHookArgs) -> None:
        if not isinstance(arguments.thread, _ExecutorManagerThread):
            before(arguments)
            return
        for process in list(arguments.thread.processes.values()):  # other children are not the pool's
            process.kill()
            process.join()
        with contextlib.suppress(Exception):  # once the tasks are told, it tries to start a thread again
            arguments.thread.terminate_broken(str(arguments.exc_value))

    threading.excepthook = break_pool
    try:
        yield
    finally:
        threading.excepthook = before
