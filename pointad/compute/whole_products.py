"""Products of matrices in whole float32, whatever a caller has set for computations of its own."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import torch

WHOLE = "ieee"
_HIGHEST = "highest"
_NOT_ROUNDED = ("none", WHOLE)


@contextlib.contextmanager
def whole_products() -> Iterator[None]:
    """Have products of float32 matrices computed as such: others are rounded to 11 or 8 bits, without a word.

    ``torch.set_float32_matmul_precision`` and the like count for all threads: those of the caller compute in float32
    too until the last block of this kind has ended. Nothing is touched where nothing was set.
    """
    _SETTINGS.enter()
    try:
        yield
    finally:
        _SETTINGS.leave()


class _Settings:
    """What was set before the first of all blocks that are open, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._before: tuple[str | None, list[str]] | None = None

    def enter(self) -> None:
        with self._lock:
            self._open += 1
            if self._open == 1:
                named, kinds = _named_precision(), [kind.fp32_precision for kind in _kinds()]
                if named not in (None, _HIGHEST) or any(kind not in _NOT_ROUNDED for kind in kinds):
                    self._before = named, kinds
                    _set(_HIGHEST if named is not None else None, [WHOLE] * len(kinds))

    def leave(self) -> None:
        with self._lock:
            if not self._open:  # in a fork, from a block that was opened before
                return
            self._open -= 1
            if self._open == 0 and self._before is not None:
                _set(*self._before)
                self._before = None

    def forked(self) -> None:
        """In a fork: the threads that opened blocks are not there, nor one that may have held the lock."""
        if self._before is not None:
            _set(*self._before)
        self._lock, self._open, self._before = threading.Lock(), 0, None


def _kinds() -> tuple[Any, Any, Any]:
    cpu: Any = torch.backends.mkldnn
    return torch.backends.cuda.matmul, cpu.matmul, cpu.conv


def _named_precision() -> str | None:
    """One of PyTorch's three words; None if kinds of products have settings of their own, for which there is none."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


def _set(named: str | None, kinds: list[str]) -> None:
    if named is not None:
        torch.set_float32_matmul_precision(named)
    for kind, wanted in zip(_kinds(), kinds, strict=True):
        if kind.fp32_precision != wanted and not (wanted == WHOLE and kind.fp32_precision in _NOT_ROUNDED):
            kind.fp32_precision = "none"  # what is set for several kinds together counts then
            if kind.fp32_precision != wanted:
                kind.fp32_precision = wanted


_SETTINGS = _Settings()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SETTINGS.forked)
