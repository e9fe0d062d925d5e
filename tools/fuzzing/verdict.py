"""What counts as a finding: any error but this library's own, a warning, or memory or time beyond a bound."""

import contextlib
import logging
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from pointad.errors import PointADError

SLOWEST = 60.0  # seconds of the processor


class TooSlowError(BaseException):  # not an Exception: readers take all of those for damage
    """A reader takes longer than any file of a few kilobytes may."""


def problem_of(action: Callable[[], object], permitted: tuple[type[Exception], ...], memory_growth: int) -> str | None:
    """Let an action read a file; what is wrong with how it ended or with what it warned of, or None.

    Args:
        action: reads something that is damaged.
        permitted: errors that it may end with besides those of this library.
        memory_growth: bytes of address space that it may take beyond what this process has.
    """
    own: tuple[type[Exception], ...] = (PointADError, *permitted)
    try:
        with _limited_time(), _limited_memory(memory_growth), _silence(), warnings.catch_warnings():
            warnings.simplefilter("error")  # a warning of another library says nothing of the file
            action()
    except own as error:
        if "\n" in str(error):
            return f"error of several lines: {error!r}"
        return "asked for too much memory" if _is_about_memory(error) else None
    except TooSlowError:
        return f"took longer than {SLOWEST:g} s of the processor"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _is_about_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextlib.contextmanager
def _limited_time() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SLOWEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextlib.contextmanager
def _limited_memory(growth: int) -> Iterator[None]:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + growth, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Readers log what they notice; here it is noise."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
