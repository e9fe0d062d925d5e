"""Renders raw samples to the folders of a rendered data set, in several processes and in constant memory."""

import logging
import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from threadpoolctl import threadpool_limits

from pointad.compute.interrupts import end_with_parent, interrupt_behind
from pointad.compute.pools import lost_managers_noticed
from pointad.compute.shared_locks import why_no_locks
from pointad.data.layout import GOOD_SPLIT, SPLIT, SampleFiles, is_finished, refuse_links
from pointad.data.raw import RenderingOptions, load_raw_sample, render_prepared, rig_of
from pointad.data.rendered_files import remove_views, write_rendered_sample
from pointad.data.rendering_settings import agree_on_settings, note_device
from pointad.data.staleness import is_outdated, sources_of
from pointad.errors import InputError, PointADError, fault, reason, short, shown
from pointad.files.atomic import make_folder, remove_file
from pointad.files.locks import try_lock
from pointad.files.pictures import write_png
from pointad.files.standing_folders import Standing, know, refuse_replaced, standing_folder
from pointad.scans.pcd import write_pcd
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.tiff import write_xyz_tiff

logger = logging.getLogger(__name__)

RENDERED = "rendered"
SKIPPED = "skipped"
FAILED = "failed"
ELSEWHERE = "elsewhere"

_QUEUED_PER_WORKER = 2
_TOLD: SimpleQueue[logging.LogRecord] = SimpleQueue()  # what a worker has logged of its sample


@dataclass(frozen=True)
class Outcome:
    """The outcome for one sample."""

    sample: RawSample
    status: str  # RENDERED, SKIPPED (already finished), ELSEWHERE (another process is rendering it) or FAILED
    message: str = ""  # why it failed
    outdated: bool = False  # it is finished already, but its raw files have changed since
    kept: bool = False  # it failed, and was rendered before
    resized: tuple[Path, ...] = ()  # its picture and its mask, where they differ in size from the scan


def export_samples(
    samples: Iterable[RawSample], root: Path, options: RenderingOptions, *, workers: int = 1, overwrite: bool = False
) -> Iterator[Outcome]:
    """Render samples to disk; yields each outcome as soon as it is known, in any order.

    A sample that fails does not stop the others. Finished samples are skipped, so a run that was killed continues
    where it stopped. Several runs may share a folder: each skips the samples that another one is rendering.

    Args:
        samples: from `list_raw_samples`.
        root: the rendered data set's folder.
        options: how they are rendered.
        workers: the number of processes; with 1, everything runs in this one.
        overwrite: render finished samples again.

    Raises:
        InputError: the folder cannot be created, was rendered with other options, or was removed or replaced meanwhile,
            or a worker process died, usually for lack of memory.
    """
    make_folder(root)
    with standing_folder(root) as standing:
        yield from _export_into(standing, list(samples), root, options, workers, overwrite)


def _export_into(
    standing: Standing,
    samples: Sequence[RawSample],
    root: Path,
    options: RenderingOptions,
    workers: int,
    overwrite: bool,
) -> Iterator[Outcome]:
    for dataset_name in {sample.dataset_name for sample in samples}:
        agree_on_settings(root, dataset_name, options)
    pending = []
    for sample in samples:
        try:
            output_files(sample, root)
        except InputError as error:
            yield Outcome(sample, FAILED, f"{short(sample.scan_path)}: {error}")
            continue
        if not overwrite and is_finished(output_files(sample, root), len(rig_of(sample, options).views)):
            _remove_abandoned_lock(output_files(sample, root).lock)
            yield Outcome(sample, SKIPPED, outdated=is_outdated(sample, output_files(sample, root)))
        else:
            pending.append(sample)
    if pending:
        note_device(root, options.device)
    workers = min(workers, len(pending))  # all of them are started at once
    if workers <= 1 or not _processes_can_share_locks(workers):
        for sample in pending:
            refuse_replaced(root)
            yield export_sample(sample, root, options, overwrite=overwrite)
        return
    # Threads of the parent (torch's, the progress bar's) would not survive a fork.
    context = multiprocessing.get_context("spawn")
    level = logging.getLogger("pointad").getEffectiveLevel()
    start = partial(_start_worker, level, standing)
    with lost_managers_noticed(), ProcessPoolExecutor(workers, mp_context=context, initializer=start) as pool:
        task = partial(_export_in_worker, root=root, options=options, overwrite=overwrite)
        remaining = iter(pending)
        running: set[Future[tuple[Outcome, list[logging.LogRecord]]]] = set()
        try:
            while True:
                refuse_replaced(root)
                free = workers * _QUEUED_PER_WORKER - len(running)
                running |= {pool.submit(task, sample) for sample in islice(remaining, free)}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    outcome, told = future.result()
                    for record in told:
                        logging.getLogger(record.name).handle(record)
                    yield outcome
        except BrokenProcessPool as error:
            raise InputError(
                "rendering", "a worker process died, probably for lack of memory", "run again with fewer --num_workers"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def export_sample(sample: RawSample, root: Path, options: RenderingOptions, *, overwrite: bool = True) -> Outcome:
    """Render one sample to disk, replacing any earlier files; see `export_samples`."""
    try:
        files = output_files(sample, root)
        refuse_links(files)
        refuse_replaced(files.lock)
        with try_lock(files.lock) as is_ours:
            if not is_ours:
                return Outcome(sample, ELSEWHERE)
            if not overwrite and is_finished(files, len(rig_of(sample, options).views)):
                return Outcome(sample, SKIPPED)  # by another process, since this run began
            prepared = load_raw_sample(sample)
            rendered = render_prepared(sample, prepared, options)
            remove_views(files)  # not those of another run in a folder of the same name
            _write_inputs(files, prepared, sources_of(sample))
            write_rendered_sample(files, rendered)
    except Exception as error:  # whatever a broken scan causes, the others should still be rendered
        interrupt = interrupt_behind(error)
        if interrupt is not None:
            raise interrupt from None
        logger.debug("%s", sample.scan_path, exc_info=True)
        if isinstance(error, MemoryError):
            problem = f"cannot be rendered ({reason(error)})"
            error = InputError(sample.scan_path, problem, "run again with fewer --num_workers, or more memory")
        text = str(error) if isinstance(error, PointADError) else f"{sample.scan_path}: {fault(error)}"
        return Outcome(sample, FAILED, shown(text), kept=_was_rendered(sample, root, options))
    return Outcome(sample, RENDERED, resized=prepared.resized)


def _was_rendered(sample: RawSample, root: Path, options: RenderingOptions) -> bool:
    try:
        return is_finished(output_files(sample, root), len(rig_of(sample, options).views))
    except (InputError, OSError):
        return False


def _processes_can_share_locks(workers: int) -> bool:
    """Whether several processes can work together; if not, which is logged, this one does everything."""
    reason = why_no_locks(workers, multiprocessing.get_context("spawn"))
    if reason is not None:
        logger.warning("no locks between processes (%s): scans are rendered in this process", reason)
    return reason is None


def _remove_abandoned_lock(path: Path) -> None:
    """Remove the lock of a process that was killed after it had finished the sample."""
    if path.is_file():
        with try_lock(path):
            pass


def output_files(sample: RawSample, root: Path) -> SampleFiles:
    """Where the renderings of a sample lie below a rendered data set's folder.

    Raises:
        InputError: one of its names cannot be that of a folder.
    """
    split = GOOD_SPLIT if sample.for_reference else SPLIT
    return SampleFiles(root, sample.class_name, sample.species, sample.identifier, split)


def _write_inputs(files: SampleFiles, prepared: PreparedSample, note: str) -> None:
    """Write the sources of the renderings: images, cleaned scan, and the points with and without labels."""
    cloud = prepared.point_cloud
    for path, content in ((files.rgb, prepared.rgb), (files.mask, prepared.xyz), (files.xyz, prepared.xyz)):
        if content is None:  # of an earlier rendering
            remove_file(path)
    if prepared.rgb is not None:
        write_png(files.rgb, prepared.rgb)
    if prepared.xyz is not None:
        mask = np.zeros(prepared.xyz.shape[:2], np.uint8) if prepared.mask is None else prepared.mask
        write_png(files.mask, mask)
        write_xyz_tiff(files.xyz, prepared.xyz)
    labels = np.zeros(len(cloud.points), bool) if cloud.labels is None else cloud.labels
    write_pcd(files.point_cloud, cloud.points, cloud.colors)
    write_pcd(files.labelled_point_cloud, cloud.points, np.repeat(labels[:, None], 3, axis=1) * np.uint8(255), note)


def _export_in_worker(
    sample: RawSample, root: Path, options: RenderingOptions, overwrite: bool
) -> tuple[Outcome, list[logging.LogRecord]]:
    """The outcome for one sample, and what was logged on the way, which the parent writes as its own."""
    outcome = export_sample(sample, root, options, overwrite=overwrite)
    return outcome, [_TOLD.get_nowait() for _ in range(_TOLD.qsize())]


def _start_worker(level: int, standing: Standing) -> None:
    # The parent handles interrupts; a worker finishes its sample.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger().setLevel(level)
    logging.getLogger().addHandler(QueueHandler(_TOLD))
    threadpool_limits(1)
    know(standing)
    end_with_parent()
