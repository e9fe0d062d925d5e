"""Loading in several processes: little shared memory, and errors of any kind that name the sample."""

import errno
import logging
import multiprocessing
import multiprocessing.synchronize
import os
import resource
import signal
import subprocess
import sys
import threading
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import torch
from small_engine import random_scan, small_dataset
from torch import Tensor

from pointad.compute.shared_locks import why_no_locks
from pointad.data import loader
from pointad.data.batch import MultiViewBatch
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.loader import iterate_batches
from pointad.errors import InputError

CLASSES = {"duck": 5, "bear": 4}


def equal(one: MultiViewBatch, other: MultiViewBatch) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)]
    return all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in pairs)


@pytest.mark.parametrize("training", [False, True])
def test_batches_through_pipes_are_the_same(
    training: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dataset = small_dataset(CLASSES, training=training)
    alone = list(iterate_batches(dataset, batch_size=2))
    shared = list(iterate_batches(dataset, batch_size=2, num_workers=2))
    assert "pipes" not in caplog.text
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(loader.shutil, "disk_usage", lambda _: usage(64e6, 64e6, 1000))
    piped = list(iterate_batches(dataset, batch_size=2, num_workers=2))
    assert "--shm-size" in caplog.text
    assert len(alone) == len(shared) == len(piped)
    assert all(equal(a, b) and equal(a, c) for a, b, c in zip(alone, shared, piped, strict=True))


def test_nothing_is_said_of_more_processes_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default of two is more than a container may have."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "This DataLoader will create")
        assert len(list(iterate_batches(small_dataset({"duck": 2}), num_workers=2))) == 2


def test_files_that_may_not_grow_do_not_lose_batches() -> None:
    """A worker that may not make a shared file of the batch's size would lose it, and the program wait forever."""
    script = f"""
import resource, sys
sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from small_engine import small_dataset
from pointad.data.loader import iterate_batches
print(sum(len(batch.class_name) for batch in iterate_batches(small_dataset({CLASSES}), batch_size=2, num_workers=1)))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout.strip()) == (0, "9"), ended.stderr[-2000:]


def test_batches_go_through_pipes_where_no_socket_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that cannot hand over shared memory would lose its batch, and the program wait forever."""
    caplog.set_level(logging.INFO)
    long = tmp_path / "of_a_cluster".ljust(120, "_")
    long.mkdir()
    monkeypatch.setattr(loader.tempfile, "tempdir", str(long))
    monkeypatch.setitem(multiprocessing.current_process()._config, "tempdir", None)
    dataset = small_dataset(CLASSES)
    piped = list(iterate_batches(dataset, batch_size=2, num_workers=2))
    assert sum(len(batch.class_name) for batch in piped) == 9
    assert "TMPDIR takes no sockets" in caplog.text and list(long.iterdir()) == []


def test_batches_go_through_pipes_where_few_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every tensor in shared memory is one; a worker that has too few loses batches, and the program waits forever."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(loader.resource, "getrlimit", lambda kind: (20 if kind == resource.RLIMIT_NOFILE else -1,) * 2)
    piped = list(iterate_batches(small_dataset(CLASSES), batch_size=2, num_workers=1))
    assert len(piped) == 5 and "20 files may be open at most (ulimit -n): batches use pipes" in caplog.text


def fail_to_share(*_: object) -> None:
    raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)")


def fail_to_start(thread: threading.Thread) -> None:
    if thread._target.__name__ == "_serve":  # type: ignore[attr-defined]  # of what hands shared memory over
        raise RuntimeError("can't start new thread")
    start_thread(thread)


start_thread = threading.Thread.start


@pytest.mark.parametrize(
    ("owner", "name", "failing"),
    [(torch.UntypedStorage, "_share_fd_cpu_", fail_to_share), (threading.Thread, "start", fail_to_start)],
)
def test_batches_that_cannot_be_shared_after_all_go_through_pipes(
    owner: type, name: str, failing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that first notices as it sends a batch would lose it, and the program wait forever."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    dataset = small_dataset(CLASSES)
    alone = list(iterate_batches(dataset, batch_size=2))
    monkeypatch.setattr(owner, name, failing)
    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    try:
        piped = list(iterate_batches(dataset, batch_size=2, num_workers=1))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert len(piped) == 5 and all(equal(a, b) for a, b in zip(alone, piped, strict=True))


def test_without_shared_memory_this_process_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loader, "SHARED_MEMORY", tmp_path / "none")
    dataset = small_dataset(CLASSES)
    assert len(list(iterate_batches(dataset, batch_size=2, num_workers=2))) == 5
    assert "loaded in this process" in caplog.text


@pytest.mark.parametrize("possible", [0, 5, 12])
def test_where_too_few_locks_can_be_made_this_process_loads(
    possible: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a /dev/shm that is read-only, full or out of entries."""
    left = possible
    make = multiprocessing.synchronize.SemLock.__init__

    def limited(*arguments: object, **named: object) -> None:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left -= 1
        make(*arguments, **named)

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", limited)
    assert len(list(iterate_batches(small_dataset(CLASSES), batch_size=2, num_workers=2))) == 5
    assert "(No space left on device): samples are loaded in this process" in caplog.text


def test_a_loader_takes_no_more_locks_than_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    make = multiprocessing.synchronize.SemLock.__init__

    def counted(*arguments: object, **named: object) -> None:
        nonlocal made
        made += 1
        make(*arguments, **named)

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", counted)
    assert why_no_locks(2) is None
    tried, made = made, 0
    assert len(list(iterate_batches(small_dataset(CLASSES), batch_size=2, num_workers=2))) == 5
    assert tried < made <= 2 * tried, "they are tried first, and then taken"


def test_sample_sizes_are_what_samples_take() -> None:
    for training in (False, True):
        dataset = small_dataset(CLASSES, training=training)
        tensors = [getattr(dataset[0], field.name) for field in fields(dataset[0])]
        taken = sum(value.numel() * value.element_size() for value in tensors if isinstance(value, Tensor))
        assert loader._sample_bytes(dataset) == taken


@dataclass(frozen=True)
class Failing:
    """Loads all samples but the third, which fails in a way of its own."""

    error: BaseException | int

    def __call__(self, scan, options):  # type: ignore[no-untyped-def]
        if (scan.class_name, scan.identifier) != ("duck", "002"):
            return random_scan(scan, options, repaint=0)
        if isinstance(self.error, int):
            os.kill(os.getpid(), self.error)
        raise self.error  # type: ignore[misc]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "KeyError"),
        (RuntimeError("DataLoader worker"), "RuntimeError"),
        (OSError(5, "broken"), "OSError"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "x"), "UnicodeDecodeError"),
        (MemoryError(), "memory"),
        (RecursionError(), "RecursionError"),
        (InputError("file", "is broken", "replace it"), "file: is broken"),
    ],
)
def test_errors_of_any_kind_name_the_sample(error: Exception, said: str, workers: int) -> None:
    dataset = small_dataset(CLASSES)
    dataset = MultiViewDataset(dataset.sources, Failing(error), dataset.options)
    with pytest.raises(InputError, match=said) as caught:
        list(iterate_batches(dataset, batch_size=2, num_workers=workers))
    if not isinstance(error, InputError):
        assert "duck/good/002" in str(caught.value)
    assert "loader process died" not in str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGBUS])
def test_workers_that_die(number: int) -> None:
    dataset = small_dataset(CLASSES)
    dataset = MultiViewDataset(dataset.sources, Failing(int(number)), dataset.options)
    with pytest.raises(InputError, match="lack of memory, or of shared memory"):
        list(iterate_batches(dataset, batch_size=2, num_workers=1))


def test_options_without_pictures_take_less() -> None:
    dataset = small_dataset(CLASSES)
    less = MultiViewDataset(dataset.sources, dataset.load, SampleOptions(with_pictures=False))
    more = MultiViewDataset(dataset.sources, dataset.load, SampleOptions())
    assert 0 < loader._sample_bytes(less) < loader._sample_bytes(more)
