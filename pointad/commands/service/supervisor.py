"""Keeps one process that inspects scans: starts it, asks it, ends it when it takes too long, and starts it again."""

import asyncio
import json
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from pointad.commands.service.child import NO_MEMORY, READY, TAKEN, Answer, Inspector, Model, Order, receive_answer, run
from pointad.errors import PointADError, reason

logger = logging.getLogger(__name__)

MOST_ANSWER_BYTES = 256_000_000
LONGEST_PAUSE = 60.0  # seconds between two attempts to start the process
LOADING_TIMES, LEAST_LOADING = 20, 300.0
"""A process that is started again may load for so many times as long as the first did, or so many seconds."""
NO_ANSWERS = NOT_TAKEN, ENDED, TOO_LATE = "not taken", "ended", "too late"
"""Outcomes of orders that the process ended before it saw, while it worked on them, or because it took too long."""

_CHANGED = (
    "the weights, prompts or good scans that the service was started with were replaced on the disk, and scores would "
    "change from one scan to the next; restart the service to use the new ones, or put the former back"
)

FOR_ALL = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class ProcessEndedError(Exception):
    """The process ended before it answered; says how."""


class NotReadyError(Exception):
    """The process could not be started again, and is tried again later."""


@dataclass
class _Child:
    process: BaseProcess
    connection: Connection  # closed with the last reference to it, since a thread may still be reading from it
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    ending: str = ""  # how it ended, once it has

    def kill(self) -> None:
        if not self.ended.is_set():
            self.process.kill()


class Supervisor:
    """Runs one order at a time in a process of its own, which outlives orders but no crash.

    All methods are called in one event loop; threads only wait for what the process sends.

    Args:
        make: loads the model in the process; a function of a module, or a `functools.partial` of one.
        folder: of uploaded files, which the process removes if this one is killed.
        seconds: how long one order may take; the process is ended after that.
    """

    model: Model

    def __init__(self, make: Callable[[], Inspector], folder: Path, seconds: float) -> None:
        self._make = make
        self._folder = folder
        self._seconds = seconds
        self._child: _Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._loading_seconds: float | None = None  # whoever starts the service decides how long it may take at first
        self._ready = False
        self._settled = asyncio.Event()  # a start is not under way: it has succeeded or failed

    @property
    def is_ready(self) -> bool:
        """Whether the process waits for orders or works on one."""
        return self._ready

    async def start(self) -> None:
        """Start the process and wait until the model is loaded.

        Raises:
            PointADError: something of the model is missing, or the process ended.
            MemoryError: the model does not fit.
        """
        begun = time.monotonic()
        child = await self._started()
        self._loading_seconds = max(LOADING_TIMES * (time.monotonic() - begun), LEAST_LOADING)
        self._keeper = asyncio.create_task(self._keep(child))

    async def ask(self, order: Order) -> Answer:
        """Have a scan inspected; while the process is being started again, wait for it.

        Raises:
            TimeoutError: it took too long; the process was ended.
            ProcessEndedError: the process crashed, or was ended from outside.
            NotReadyError: the process could not be started.
        """
        answer = await self._asked(order)
        if answer.outcome == NOT_TAKEN:  # killed while it rested
            answer = await self._asked(order)
        if answer.outcome == TOO_LATE:
            raise TimeoutError
        if answer.outcome in NO_ANSWERS:
            raise ProcessEndedError(answer.text.decode())
        return answer

    async def _asked(self, order: Order) -> Answer:
        await self._settled.wait()
        child = self._child
        if child is None or not self._ready:
            raise NotReadyError
        answer = await _answer_of(child, self._seconds, order)
        if answer.outcome in NO_ANSWERS:
            await child.ended.wait()  # after an answer at the last moment too: the next order is not for the dead
            return replace(answer, text=child.ending.encode())
        return answer

    async def close(self) -> None:
        """End the process, whatever it does."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._child is not None and not self._child.ended.is_set():
            self._child.kill()
            await asyncio.to_thread(self._child.process.join)

    async def _started(self) -> _Child:
        self._settled.clear()
        child = self._child = self._spawned()
        answer = await _answer_of(child, self._loading_seconds)
        if answer.outcome in NO_ANSWERS:
            await _end_of(child)
            late = f"after {self._loading_seconds:g} s; " if answer.outcome == TOO_LATE else ""
            raise PointADError(f"the inspection process ended while loading the model ({late}{child.ending})")
        if answer.outcome != READY:
            await _end_of(child)
            said = answer.text.decode(errors="replace")
            raise MemoryError(said) if answer.outcome == NO_MEMORY else PointADError(said)
        model = Model(**json.loads(answer.text))
        if self._keeper is not None and model != self.model:
            child.kill()
            await _end_of(child)
            raise PointADError(_CHANGED)
        self.model = model
        self._ready = True
        self._settled.set()
        return child

    def _spawned(self) -> _Child:
        """A new process. Signals that terminals and service managers send to all processes are for this one alone."""
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=run, args=(self._make, there, self._folder, self._seconds), daemon=True, name="inspections"
        )
        resource_tracker.ensure_running()  # which would undo the mask if it were started below
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_ALL)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            there.close()
        return _Child(process, here)

    async def _keep(self, child: _Child) -> None:
        """Whenever the process has ended, start it again; when that fails, after pauses that become longer."""
        while True:
            await _end_of(child)
            self._ready = False
            logger.error("the inspection process ended (%s) and is restarted", child.ending)
            pause = 1.0
            while not self._ready:
                try:
                    child = await self._started()
                except Exception as error:  # of any kind: a lack of processes, threads, descriptors, memory
                    self._settled.set()
                    logger.error("%s; next attempt in %g s", reason(error), pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)


async def _end_of(child: _Child) -> None:
    """Wait until a process has ended, and note how."""
    await asyncio.to_thread(wait, [child.process.sentinel])
    child.process.join()
    child.ending = _in_words(child.process.exitcode or 0)
    child.process.close()
    child.ended.set()


def _in_words(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit status {exit_code}"
    named = {number.value: number.name for number in signal.Signals}
    return named.get(-exit_code, f"signal {-exit_code}")  # real-time signals have no names


async def _answer_of(child: _Child, seconds: float | None, order: Order | None = None) -> Answer:
    """What a process answers to an order, or says when it has loaded; without an answer in time, it is ended."""
    exchange = asyncio.ensure_future(asyncio.to_thread(_exchange, child.connection, order))
    in_time, _ = await asyncio.wait({exchange}, timeout=seconds)
    if not in_time:
        child.kill()
    answer = await exchange if in_time else replace(await exchange, outcome=TOO_LATE)
    if answer.outcome in NO_ANSWERS:
        child.kill()  # it may have closed the connection, or sent nonsense
    return answer


def _exchange(connection: Connection, order: Order | None) -> Answer:
    """Send an order and wait for an answer; there is none when the process ends, or sends more than it should.

    What is left unread after such an end must never be taken for the next answer: the process is ended then.
    """
    failure = ENDED if order is None else NOT_TAKEN
    try:
        if order is not None:
            connection.send_bytes(json.dumps(asdict(order)).encode())
            if connection.recv_bytes(100) == TAKEN.encode():
                failure = ENDED
        return receive_answer(connection, MOST_ANSWER_BYTES)
    except (EOFError, OSError, MemoryError):
        return Answer(failure, b"")
