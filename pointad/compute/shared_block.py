"""Blocks that may be open in several threads at once, and change something that all threads share."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

Restore = Callable[[], object]
"""Puts back what was changed."""


class SharedBlock:
    """The first of all blocks that are open changes something of the process, and the last one puts it back.

    Where blocks that each keep what they found overlap, the one that ends last puts back what another had set.

    Args:
        change: changes it, and returns what puts it back.
    """

    def __init__(self, change: Callable[[], Restore]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._open = 0
        self._restore: Restore | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """A block, in any thread."""
        with self._lock:
            self._open += 1
            if self._open == 1:
                self._restore = self._change()
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            if not self._open:  # in a fork, from a block that was opened before
                return
            self._open -= 1
            if not self._open:
                self._put_back()

    def _put_back(self) -> None:
        if self._restore is not None:
            self._restore()
            self._restore = None

    def _forked(self) -> None:
        """In a fork: the threads that opened blocks are not there, nor one that may have held the lock."""
        self._put_back()
        self._lock, self._open = threading.Lock(), 0
