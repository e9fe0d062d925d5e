"""Interrupts at moments that cannot bear them: while a library is loaded, while processes are started."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

_HELD = (signal.SIGINT, signal.SIGTERM)
_MOMENT = 0.05  # seconds until a lost interrupt comes again


@contextlib.contextmanager
def held_interrupts(afterwards: float = 0.0) -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the block ends.

    An interrupt within an import leaves a half-loaded library behind, often as an ImportError, and one within a fork is
    lost. Forks made within the block stay deaf to both signals until they take them themselves, see
    ``obey_the_parent``. Threads other than the main one get no interrupts anyway.

    Args:
        afterwards: seconds from the end of the block until an interrupt is raised; for blocks that may run in a
            destructor, from which no exception leaves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in _HELD}
    for number, handler in before.items():
        if callable(handler):  # else a signal ends the process, or is ignored, with no exception to come from it
            signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        if waiting and afterwards:
            timer = threading.Timer(afterwards, os.kill, (os.getpid(), waiting[0]))
            timer.daemon = True
            timer.start()
        elif waiting:
            signal.raise_signal(waiting[0])


@contextlib.contextmanager
def lost_interrupts_repeated(signal_of: Callable[[BaseException], int]) -> Iterator[None]:
    """Have an interrupt that is raised in a destructor, which no exception leaves, come again a moment later.

    It does not after the block, whose work is done then.

    Args:
        signal_of: the signal that a KeyboardInterrupt came from.
    """
    before = sys.unraisablehook
    timers: list[threading.Timer] = []

    def repeat(unraisable: "sys.UnraisableHookArgs") -> None:
        error = unraisable.exc_value
        if not isinstance(error, KeyboardInterrupt):
            before(unraisable)
            return
        timer = threading.Timer(_MOMENT, os.kill, (os.getpid(), signal_of(error)))
        timer.daemon = True
        timers.append(timer)
        timer.start()

    sys.unraisablehook = repeat
    try:
        yield
    finally:
        sys.unraisablehook = before
        for timer in timers:
            timer.cancel()


def obey_the_parent(*_: object) -> None:
    """In a worker process: leave interrupts to the process that it works for; end quietly on SIGTERM.

    PyTorch takes a worker that leaves with any other status for one that has failed. The thread that hands over shared
    memory prints a traceback when the process that it works for is killed in mid-sentence; that says nothing to anyone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    sys.excepthook = _without_lost_connections


def end_with_parent() -> None:
    """In a worker process: exit when its parent has ended in any way, for a killed run must leave no process behind."""
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _without_lost_connections(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not isinstance(error, (ConnectionError, EOFError)):
        sys.__excepthook__(kind, error, traceback)


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | None:
    """The interrupt that an error was made of, or was raised in the handling of; None if there is none."""
    seen = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, KeyboardInterrupt):
            return each
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            pending += [each.__cause__, each.__context__]
    return None
