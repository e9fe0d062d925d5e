"""Weights in single precision, in which the models compute, and a word where that rounds them."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pointad.errors import InputError

logger = logging.getLogger(__name__)


def in_single_precision(state: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """The entries with all floating-point ones in float32; others stay as they are.

    Half precision is widened exactly. Double precision is rounded, which is logged where it changes a number.

    Args:
        state: by name.
        path: the file that they come from, for errors and the log.

    Raises:
        InputError: a number is too large for float32.
    """
    single = {name: entry.float() if entry.is_floating_point() else entry for name, entry in state.items()}
    wide = [name for name, entry in state.items() if entry.dtype == torch.float64]
    for name in wide:
        if not single[name].isfinite().all():
            problem = f"its '{name}' holds numbers that are too large for single precision"
            raise InputError(path, problem, "replace the file, or save it in float32")
    rounded = [name for name in wide if not torch.equal(single[name].double(), state[name])]
    if rounded:
        message = "%s: %d of its entries are in double precision and are rounded to float32, such as '%s'"
        logger.warning(message, path, len(rounded), rounded[0])
    return single
