"""Warnings of other libraries, as about damaged files, are not shown, in whichever threads they are given."""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Show no warnings within the block.

    The filters of warnings are those of all threads. Where blocks of `warnings.catch_warnings` overlap, the one that
    ends last puts back what the other had set: from then on, no warning of the whole process would be shown. Here the
    first of all blocks that are open changes them, and the last one puts the caller's back.
    """
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()


class _Silence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._caught = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            self._open += 1
            if self._open == 1:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")

    def leave(self) -> None:
        with self._lock:
            if not self._open:  # in a fork, from a block that was opened before
                return
            self._open -= 1
            if not self._open:
                self._caught.__exit__(None, None, None)

    def forked(self) -> None:
        """In a fork: the threads that opened blocks are not there, nor one that may have held the lock."""
        if self._open:
            self._caught.__exit__(None, None, None)
        self._lock, self._open = threading.Lock(), 0


_SILENCE = _Silence()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SILENCE.forked)
