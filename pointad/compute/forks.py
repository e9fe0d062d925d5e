"""Computing in forked processes, as `multiprocessing` makes them on Linux before Python 3.14.

Of a process that forks, only the thread that did so continues in the fork. PyTorch would wait for its others there, and
never end.
"""

import os
import sys
from pathlib import Path

_FORKED_ONLY = 0x40  # Linux's PF_FORKNOEXEC: no program was started in the process since it was forked


def _is_fork() -> bool:
    try:
        stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
        return bool(int(stat.rpartition(")")[2].split()[6]) & _FORKED_ONLY)
    except (OSError, ValueError, IndexError):
        return False


class _Inherited:
    """Whether PyTorch was loaded when this process was forked, and `compute_safely` was not called since."""

    torch = "torch" in sys.modules and _is_fork()  # or loaded in the fork, before this package: that cannot be told


def _note_fork() -> None:
    _Inherited.torch = "torch" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def compute_safely() -> None:
    """Before the first computation in a fork, let PyTorch compute in the calling thread alone."""
    if _Inherited.torch:
        _Inherited.torch = False
        sys.modules["torch"].set_num_threads(1)
