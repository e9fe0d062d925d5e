"""Batches of a data set from worker processes, with a progress bar and errors that name the sample."""

import contextlib
import logging
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import accumulate
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from pointad.compute.interrupts import held_interrupts, interrupt_behind, obey_the_parent
from pointad.compute.shared_locks import why_no_locks
from pointad.data.batch import MultiViewBatch, MultiViewSample, collate
from pointad.data.lost_loaders import is_lost_loader, lost_loader
from pointad.errors import InputError, PointADError, fault

logger = logging.getLogger(__name__)

SHARED_MEMORY = Path("/dev/shm")
BATCHES_AHEAD = 3  # per worker: two waiting and the one being made
_MOST_WORKERS = 256
_FEWEST_OPEN = 128  # every tensor of the batches ahead is an open file; a worker that has too few loses its batches
_TOLD_SECONDS = 0.5  # after which the system has told of the end of a process


class _ErrorsAsItems(Dataset):
    """Returns errors as items: worker processes would otherwise turn them into RuntimeErrors without the sample."""

    def __init__(self, dataset: Dataset[MultiViewSample]) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> MultiViewSample | PointADError:
        try:
            return self.dataset[index]
        except PointADError as error:
            return error
        except MemoryError:
            remedy = "run again with fewer --num_workers"
            return InputError(_name_of(self.dataset, index), "there is not enough memory to load it", remedy)
        except Exception as error:  # whatever a broken sample causes, the error should name it
            logger.debug("loading", exc_info=True)
            problem = f"cannot be loaded ({fault(error)})"
            return InputError(
                _name_of(self.dataset, index), problem, "replace the files of this sample, or report this"
            )


class _Loader(DataLoader):
    """Says nothing of more processes than cores, as PyTorch does in two lines of code: they are what was asked for."""

    def check_worker_number_rationality(self) -> None:
        """Leave out the warning."""


def _name_of(dataset: Dataset[MultiViewSample], index: int) -> str:
    """A sample's name in errors: its folder or file if its source has one, else class, species and identifier."""
    sources = getattr(dataset, "sources", None)
    if sources is None:
        return f"sample {index}"
    source = sources[index]
    place = getattr(source, "views_folder", None) or getattr(source, "scan_path", None)
    return str(place or f"{source.class_name}/{source.species}/{source.identifier}")


def _collate_or_error(items: Sequence[MultiViewSample | PointADError]) -> MultiViewBatch | PointADError:
    for item in items:
        if isinstance(item, PointADError):
            return item
    try:
        return collate(items)  # type: ignore[arg-type]
    except MemoryError:
        return InputError("loading", "there is not enough memory for a batch", "run again with fewer --num_workers")


class _SharedBatch:
    """A batch in shared memory, pickled already; where it is unpickled, it is a `MultiViewBatch`."""

    def __init__(self, batch: MultiViewBatch) -> None:
        self._content = bytes(ForkingPickler.dumps(batch))

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return ForkingPickler.loads, (self._content,)  # as multiprocessing reads all that its own processes send


class _SharingCollator:
    """Puts batches into shared memory, until that fails once: then this process sends arrays through its pipe.

    Other programs may have filled it meanwhile, or the thread that hands it over cannot be started. Where a batch is
    first shared as it is sent, in a thread of its own, it is lost then, and waited for forever.
    """

    def __init__(self) -> None:
        self._fails = False

    def __call__(self, items: Sequence[MultiViewSample | PointADError]) -> _SharedBatch | MultiViewBatch | PointADError:
        if not self._fails:
            batch = _collate_or_error(items)
            if isinstance(batch, PointADError):
                return batch
            try:
                return _SharedBatch(batch)
            except (RuntimeError, OSError):
                self._fails = True
        return _collate_to_arrays(items)


def _collate_to_arrays(items: Sequence[MultiViewSample | PointADError]) -> MultiViewBatch | PointADError:
    """The batch with arrays instead of tensors: arrays are sent through a pipe, tensors need shared memory."""
    batch = _collate_or_error(items)
    return batch if isinstance(batch, PointADError) else _changed(batch, Tensor, Tensor.numpy)


def _changed(batch: MultiViewBatch, kind: type, change: Any) -> MultiViewBatch:
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return MultiViewBatch(**{name: change(v) if isinstance(v, kind) else v for name, v in values.items()})


def iterate_batches(
    dataset: Dataset[MultiViewSample],
    *,
    batch_size: int = 1,
    batch_sizes: Sequence[int] | None = None,
    num_workers: int = 0,
    pin_memory: bool = False,
    description: str | None = None,
) -> Iterator[MultiViewBatch]:
    """Iterate over a data set in its order.

    Worker processes send batches through shared memory if there is enough of it, else through pipes; containers
    often have no more than 64 MB (``docker run --shm-size`` sets the size).

    Args:
        dataset: the source of the samples.
        batch_size: samples per batch; the last batch may be smaller.
        batch_sizes: samples of each batch instead, none more than `batch_size`; their sum is all samples.
        num_workers: processes that load samples; 0 loads them in this process.
        pin_memory: whether batches are in page-locked memory, for faster copies to a GPU.
        description: label of a progress bar that counts samples; None shows no bar.

    Raises:
        PointADError: a sample cannot be loaded; either the data set's own error or one that names the sample.
        InputError: a loader process died.
    """
    total = len(dataset)  # type: ignore[arg-type]
    workers = min(num_workers, total, _MOST_WORKERS)
    if workers and not SHARED_MEMORY.is_dir():  # the locks between processes are kept there
        logger.warning("%s does not exist: samples are loaded in this process", SHARED_MEMORY)
        workers = 0
    reason = why_no_locks(workers) if workers else None
    if reason is not None:
        message = "no locks between processes in %s (%s): samples are loaded in this process"
        logger.warning(message, SHARED_MEMORY, reason)
        workers = 0
    through_pipes = workers > 0 and not _has_room(dataset, workers, batch_size)
    sizes = [batch_size] * -(-total // batch_size) if batch_sizes is None else batch_sizes
    ends = list(accumulate(sizes))
    collate_batch = _collate_to_arrays if through_pipes else _SharingCollator() if workers else _collate_or_error
    loader = _Loader(
        _ErrorsAsItems(dataset),
        batch_sampler=[list(range(end - size, min(end, total))) for size, end in zip(sizes, ends, strict=True)],
        num_workers=workers,
        collate_fn=collate_batch,
        pin_memory=pin_memory and not through_pipes,
        worker_init_fn=obey_the_parent,
        generator=torch.Generator(),  # else it draws from the caller's random numbers
    )
    with tqdm(total=total, desc=description, unit="sample", disable=True if description is None else None) as bar:
        for batch in _with_living_workers(loader):
            if isinstance(batch, PointADError):
                raise batch
            if isinstance(batch.mask, np.ndarray):  # it came through a pipe
                batch = _changed(batch, np.ndarray, torch.from_numpy)
                batch = batch.pin_memory() if pin_memory else batch
            yield batch
            bar.update(len(batch.class_name))


def _has_room(dataset: Dataset[MultiViewSample], workers: int, batch_size: int) -> bool:
    """Whether shared memory holds all batches that may be in flight at once, and may hold a file of each size."""
    batch_bytes = batch_size * _sample_bytes(dataset)
    largest_file, _ = resource.getrlimit(resource.RLIMIT_FSIZE)  # binds shared memory too; a batch beyond it is lost
    if largest_file != resource.RLIM_INFINITY and batch_bytes > largest_file:
        logger.info("files may have %.3f MB at most (ulimit -f): batches use pipes", largest_file / 1e6)
        return False
    most_open, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most_open != resource.RLIM_INFINITY and most_open < _FEWEST_OPEN:
        logger.info("%d files may be open at most (ulimit -n): batches use pipes", most_open)
        return False
    if not _sockets_can_be_made():  # over which shared memory is handed to the process that asked for it
        logger.info("TMPDIR takes no sockets, or its name is too long for them: batches use pipes")
        return False
    needed = workers * BATCHES_AHEAD * batch_bytes
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        logger.info(
            "%s has %.0f MB free, but up to %.0f MB are needed: batches use pipes, which is a little slower "
            "(in a container, --shm-size sets the size)",
            *(SHARED_MEMORY, free / 1e6, needed / 1e6),
        )
    return needed <= free


def _sockets_can_be_made() -> bool:
    """Whether `multiprocessing` could make one in its temporary folder; a worker that cannot loses its batch."""
    try:
        with tempfile.TemporaryDirectory(prefix="pymp-") as folder, socket.socket(socket.AF_UNIX) as made:
            made.bind(f"{folder}/listener-12345678")
    except OSError:
        return False
    return True


def _sample_bytes(dataset: Dataset[MultiViewSample]) -> int:
    """The bytes that a sample takes, by the data set's options; 0 if it has none."""
    options = getattr(dataset, "options", None)
    if options is None:
        return 0
    pictures = len(options.view_indices) + options.with_color
    places = options.point_size**2
    bytes_of_points = places * (len(options.view_indices) * (3 * 2 + options.with_views_gt) + 2)
    return int(options.with_pictures * pictures * options.image_size**2 * 3 + bytes_of_points)


def _with_living_workers(loader: DataLoader) -> Iterator[MultiViewBatch | PointADError]:
    with held_interrupts():
        batches = iter(loader)
    try:
        while True:
            batch = _next_batch(batches)
            if batch is None:
                return
            yield batch
    finally:
        with held_interrupts(afterwards=0.05):  # its destructor, which ends the processes, must not be cut off
            del batches


def _next_batch(batches: Iterator[MultiViewBatch | PointADError]) -> MultiViewBatch | PointADError | None:
    # Errors of samples arrive as items, so a worker that ends has died without an error.
    try:
        return next(batches, None)
    except (ConnectionError, EOFError, FileNotFoundError) as error:  # before it had handed its batch over
        with contextlib.suppress(RuntimeError):  # which PyTorch raises at whatever moment it is told of the death
            time.sleep(_TOLD_SECONDS)
        raise lost_loader() from error
    except RuntimeError as error:
        if not is_lost_loader(error):
            raise
        interrupt = interrupt_behind(error)
        if interrupt is not None:  # it ended the worker too
            raise interrupt from None
        raise lost_loader() from error
