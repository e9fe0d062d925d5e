"""Several processes that share one run: which part each of them does, and how the parts are combined.

They are started by ``torchrun`` and communicate with gloo on CPUs and NCCL on GPUs. Everything else in this library
takes a ``Processes`` and runs the same code with one process or several.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed
from torch import Tensor

from pointad.errors import InputError

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

_SILENT_SECONDS = 5.0  # of waiting for the other processes to start, before that is told


@dataclass(frozen=True)
class Processes:
    """The processes of one run, as seen from one of them."""

    rank: int = 0  # of this process
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's part: every ``count``-th item, beginning with its rank."""
        return list(items[self.rank :: self.count])

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum over the processes, the same result in all of them; the tensor must have the same shape everywhere."""
        if self.count > 1:
            tensor = tensor.clone()
            with _lost_connections_told():
                torch.distributed.all_reduce(tensor)
        return tensor

    def gather(self, item: Item) -> list[Item]:
        """The items of all processes, by rank, in the first process; an empty list in the others."""
        if self.count == 1:
            return [item]
        gathered: list[Any] | None = [None] * self.count if self.is_first else None
        with _lost_connections_told():
            torch.distributed.gather_object(item, gathered)
        return gathered or []

    def broadcast(self, item: Item) -> Item:
        """The first process's item, in all processes."""
        if self.count == 1:
            return item
        items = [item]
        with _lost_connections_told():
            torch.distributed.broadcast_object_list(items)
        return items[0]

    def wait(self) -> None:
        """Continue once all processes have reached this point."""
        if self.count > 1:
            with _lost_connections_told():
                torch.distributed.barrier()

    def require_same(self, facts: Mapping[str, Any]) -> None:
        """Refuse to work together with a process that was started with other flags, or sees other files.

        Args:
            facts: what the results depend on, by name.

        Raises:
            InputError: in the processes whose facts are not those of the first one.
        """
        expected = self.broadcast(facts)
        different = sorted(name for name in expected.keys() | facts.keys() if expected.get(name) != facts.get(name))
        if different:
            problem = f"process {self.rank} differs from the first one in {', '.join(different)}"
            raise InputError("processes", problem, "start all of them with the same flags and files")

    @contextlib.contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """Run a block in the first process, then in the others, which find on disk what it has written."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()


ALONE = Processes()


@contextlib.contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes started by ``torchrun``; this one alone if it was not used.

    Raises:
        InputError: the processes cannot connect to each other.
    """
    count = _number_from("WORLD_SIZE", "1")
    if count == 1 or not torch.distributed.is_available():
        yield ALONE
        return
    rank = _number_from("RANK", "0")
    if rank >= count:
        remedy = "start all of them with torchrun"
        raise InputError(f"RANK={rank}", f"is not a valid number of one of {count} processes (WORLD_SIZE)", remedy)
    _connect(count)
    try:
        yield Processes(torch.distributed.get_rank(), count)
    finally:
        torch.distributed.destroy_process_group()


def require_alone(what: str) -> None:
    """Refuse to do what several processes cannot share: each would do all of it, in the same folder.

    Args:
        what: the flag that asks for it.

    Raises:
        InputError: ``torchrun`` started several.
    """
    count = _number_from("WORLD_SIZE", "1")
    if count > 1:
        raise InputError(what, f"works in one process, not in {count} (WORLD_SIZE)", "start it without torchrun")


def _connect(count: int) -> None:
    """Wait until all processes have been started.

    They are waited for in a thread: whoever waits in the library itself hears no interrupt for half an hour.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    failures: list[Exception] = []

    def connect() -> None:
        try:
            torch.distributed.init_process_group(backend)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_SILENT_SECONDS)
    if thread.is_alive():
        logger.info("waiting for all %d processes to start", count)
        thread.join()
    for error in failures:
        if not isinstance(error, (RuntimeError, ValueError)):
            raise error
        remedy = "start all of them with torchrun and the same --master_addr and --master_port"
        raise InputError("processes", f"cannot connect to each other ({error})", remedy) from error


@contextlib.contextmanager
def _lost_connections_told() -> Iterator[None]:
    """An error of the network between the processes as one of ours; nearly always, another process has ended."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        problem = f"the connection to another one is lost ({str(error).partition('. ')[0]})"
        raise InputError("processes", problem, "see the output of the others, and start all of them again") from error


def _number_from(name: str, missing: str) -> int:
    """A number that torchrun sets in the environment.

    Raises:
        InputError: the variable holds something else.
    """
    text = os.environ.get(name, missing)
    if not text.isdecimal() or len(text) > 6:
        raise InputError(f"{name}={text}", "is not a valid number", f"unset {name}, or start with torchrun")
    return int(text)


def own_device(device: torch.device) -> torch.device:
    """The device of this process: one GPU for each process of a machine; on the CPU, they share it.

    Raises:
        InputError: there are more processes on this machine than GPUs.
    """
    if device.type != "cuda" or device.index is not None or "LOCAL_RANK" not in os.environ:
        return device
    index, available = _number_from("LOCAL_RANK", "0"), torch.cuda.device_count()
    if index >= available:
        remedy = f"start torchrun with --nproc_per_node={available}, or use --device cpu"
        raise InputError("processes", f"more processes than GPUs on this machine ({available})", remedy)
    torch.cuda.set_device(index)
    return torch.device("cuda", index)
