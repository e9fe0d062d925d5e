"""Whether several processes can work together here: their locks and queues take entries in shared memory."""

import multiprocessing
from multiprocessing.context import BaseContext

_OF_A_POOL, _OF_A_PROCESS = 10, 3  # semaphores that PyTorch's loader takes; pools of processes take fewer


def why_no_locks(processes: int, context: BaseContext | None = None) -> str | None:
    """Why so many processes cannot share locks, as where /dev/shm is missing, full or read-only; None if they can.

    Args:
        processes: how many are to be started.
        context: how; None is the system's default.
    """
    try:
        made = [(context or multiprocessing).Lock() for _ in range(_OF_A_POOL + _OF_A_PROCESS * processes)]
    except OSError as error:
        return error.strerror or str(error)
    del made
    return None
