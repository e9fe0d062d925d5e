"""Products of matrices in whole float32, whatever a caller has set for computations of its own."""

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch

from pointad.compute.shared_block import Restore, SharedBlock

WHOLE = "ieee"
_HIGHEST = "highest"
_NOT_ROUNDED = ("none", WHOLE)


def whole_products() -> AbstractContextManager[None]:
    """Have products of float32 matrices computed as such: others are rounded to 11 or 8 bits, without a word.

    ``torch.set_float32_matmul_precision`` and the like count for all threads: those of the caller compute in float32
    too until the last block of this kind has ended. Nothing is touched where nothing was set.
    """
    return _SETTINGS.opened()


def _compute_whole() -> Restore:
    named, kinds = _named_precision(), [kind.fp32_precision for kind in _kinds()]
    if named in (None, _HIGHEST) and all(kind in _NOT_ROUNDED for kind in kinds):
        return _leave_as_it_is
    _set(_HIGHEST if named is not None else None, [WHOLE] * len(kinds))
    return partial(_set, named, kinds)


def _leave_as_it_is() -> None:
    pass


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


_SETTINGS = SharedBlock(_compute_whole)
