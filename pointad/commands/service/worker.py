"""A separate thread for the inspections: one after another, without keeping the program from exiting."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Worker:
    """Does jobs in the order in which they come. The thread is a daemon: a program that ends does not wait for it."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job[Any]] = queue.SimpleQueue()
        self._busy = threading.Event()
        threading.Thread(target=self._work, daemon=True, name="inspections").start()

    @property
    def is_busy(self) -> bool:
        """Whether a job is being done now."""
        return self._busy.is_set()

    def submit(self, work: Callable[[], Answer]) -> "asyncio.Future[Answer]":
        """Have a job done; the future belongs to the running event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._jobs.put(_Job(work, future, loop))
        return future

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            self._busy.set()
            job.do()
            self._busy.clear()
            del job  # its answer is not to be kept until the next one comes


class _Job(Generic[Answer]):
    def __init__(
        self, work: Callable[[], Answer], future: "asyncio.Future[Answer]", loop: asyncio.AbstractEventLoop
    ) -> None:
        self._work, self._future, self._loop = work, future, loop

    def do(self) -> None:
        try:
            answer = self._work()
        except Exception as error:
            self._tell(self._fail, error)
        except BaseException as error:  # a library that wants to leave: it may not, and the event loop would obey it
            self._tell(self._fail, RuntimeError(f"{type(error).__name__}: {error}"))
        else:
            self._tell(self._succeed, answer)

    def _tell(self, call: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(call, value)

    def _succeed(self, answer: Answer) -> None:
        if not self._future.done():
            self._future.set_result(answer)

    def _fail(self, error: BaseException) -> None:
        if not self._future.done():
            self._future.set_exception(error)
