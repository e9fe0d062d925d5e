"""Computing in forked processes, as `multiprocessing` makes them on Linux before Python 3.14."""

import os

import torch


class HomeProcess:
    """Remembers in which process an object was made; a pickled one is at home where it is unpickled.

    Of a process that forks, only the thread that did so continues in the fork. PyTorch would wait for its others there,
    and never end.
    """

    def __init__(self) -> None:
        self._process = os.getpid()

    def __reduce__(self) -> "tuple[type[HomeProcess], tuple[()]]":
        return HomeProcess, ()

    def compute_safely(self) -> None:
        """In a fork of that process, let PyTorch compute in the calling thread alone."""
        if os.getpid() != self._process:
            torch.set_num_threads(1)
