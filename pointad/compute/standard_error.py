"""Keeps what native libraries print by themselves from standard error."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STANDARD_ERROR = 2
_one_at_a_time = threading.RLock()  # else a block would keep, and bring back, what another one put in its place


@contextlib.contextmanager
def nothing_on_standard_error() -> Iterator[None]:
    """Within the block, nothing of this process is shown on standard error: for calls that raise what there is to say.

    It concerns all threads, so the block should be short.
    """
    with _one_at_a_time:
        try:
            kept = os.dup(_STANDARD_ERROR)
        except OSError:  # it is closed
            yield
            return
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STANDARD_ERROR)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            os.close(kept)
