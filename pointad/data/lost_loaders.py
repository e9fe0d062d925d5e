"""Loading processes that have died: how PyTorch reports them, at whatever moment it is told, and what to say of it."""

from pointad.errors import InputError

_WORDS = "DataLoader worker"  # how PyTorch's message begins


def is_lost_loader(error: BaseException) -> bool:
    """Whether an error says that a loading process has died; the system's notice interrupts any work to raise it."""
    return isinstance(error, RuntimeError) and _WORDS in str(error)


def lost_loader() -> InputError:
    """The error to raise instead."""
    problem = "a loader process died, probably for lack of memory, or of shared memory in /dev/shm"
    return InputError("loading", problem, "run again with fewer --num_workers")
