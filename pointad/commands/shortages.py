"""Lacks of memory and of processes: how PyTorch, SciPy, OpenCV, the library loader and Python report them."""

import logging
from pathlib import Path

from pointad.commands.unfit_python import unloadable_library
from pointad.compute.interrupts import interrupt_behind
from pointad.data.lost_loaders import is_lost_loader, lost_loader
from pointad.errors import PointADError, fault, reason

logger = logging.getLogger(__name__)

_MEMORY_MESSAGES = ("allocate memory", "out of memory", "insufficient memory", "failed to map segment")
# Of fork, pthread_create and Python's threads. Too little memory for the stack of a thread is reported so as well. The
# last one comes from a pool of processes that is closed because its thread could not be started.
_PROCESS_MESSAGES = (
    *("resource temporarily unavailable", "start new thread", "pthread_create has failed"),
    "cannot join thread before it is started",
)
_NO_MEMORY = "memory: not enough is available; use smaller batches, fewer --num_workers or a larger machine"
_NO_TEMPORARY_FOLDER = "no usable temporary directory"  # as Python's tempfile says
_NO_PROCESSES = (
    "processes: no more of them, or of their threads, can be started; use fewer --num_workers, or raise the limits of "
    "processes and of memory (ulimit -u, ulimit -v)"
)


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error of any library says that memory was not enough."""
    return isinstance(error, MemoryError) or any(message in _said(error) for message in _MEMORY_MESSAGES)


def is_lack_of_processes(error: BaseException) -> bool:
    """Whether an error of any library says that no further process or thread could be started."""
    about_a_file = isinstance(error, OSError) and error.filename is not None
    return not about_a_file and any(message in _said(error) for message in _PROCESS_MESSAGES)


def shortage(error: BaseException) -> str | None:
    """What a program lacked and what to do, for one line of its errors; None if the error is of another kind."""
    if is_lack_of_memory(error):
        return unloadable_library(error) or _NO_MEMORY
    if is_lost_loader(error):  # between two batches
        return str(lost_loader())
    if isinstance(error, FileNotFoundError) and _NO_TEMPORARY_FOLDER in _said(error):
        return "temporary folder: none can be written to; set TMPDIR to a folder with free space"
    return _NO_PROCESSES if is_lack_of_processes(error) else None


def failure_of(path: Path, error: Exception) -> str:
    """Why one of several scans could not be done, which must not stop the others; faults are logged with a traceback.

    Raises:
        KeyboardInterrupt: that is behind the error.
    """
    interrupt = interrupt_behind(error)
    if interrupt is not None:
        raise interrupt from None
    if isinstance(error, PointADError):
        return str(error)
    if shortage(error) is None:
        logger.error("%s", path, exc_info=error)
        return fault(error)
    lack = "does not fit into memory" if is_lack_of_memory(error) else "no process or thread could be started for it"
    return f"{path}: {lack} ({reason(error)})"


def _said(error: BaseException) -> str:
    """What an error says, without the name of the file that it is about."""
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error).lower()
