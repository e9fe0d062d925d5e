"""Keeps out of inspections what a caller has set for computations of its own."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from pointad.compute.whole_products import whole_products


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Compute without gradients, and as if autocast, a default device, a lower precision of products of float32
    matrices, and NumPy's errors for underflow were not set.

    Within a caller's autocast, features would be rounded to 16 bits. Also a decorator; safe in several threads.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(whole_products())
        stack.enter_context(torch.no_grad())
        stack.enter_context(np.errstate(under="ignore"))
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextlib.contextmanager
def built_in_single_precision() -> Iterator[None]:
    """Build models in float32, whatever the default is: weights of a file would be rounded to a narrower one.

    The default is one for all threads, so that models are not to be loaded in several at once while it is another.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
