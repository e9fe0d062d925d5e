"""A run of scripts/pretrain_demo_backbone.py: the pictures are made, and one GPU or several processes learn."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
from torch.multiprocessing.spawn import ProcessException, ProcessExitedException

from pointad.commands.program import EXIT_ERROR
from pointad.commands.shortages import shortage
from pointad.compute.device import choose_device
from pointad.compute.interrupts import end_with_parent, obey_the_parent
from pointad.compute.processes import ALONE, Processes
from pointad.errors import InputError, PointADError
from pointad.files.locks import own_folder
from pretraining.learning import learn
from pretraining.picture_store import PictureStore, StoreMaker
from pretraining.plan import WHOLE_PICTURES, LearningPlan


def pretrain(arguments: argparse.Namespace) -> None:
    """Make the pictures and let one GPU or several processes learn."""
    device = chosen_device(arguments)
    check(arguments)
    print(f"pictures of {arguments.objects} objects in {arguments.pictures}", flush=True)
    with own_folder(arguments.pictures):  # a second run would change the pictures that this one learns from
        _make_and_learn(arguments, device)


def _make_and_learn(arguments: argparse.Namespace, device: torch.device) -> None:
    with StoreMaker(arguments.pictures, arguments.objects, arguments.seed, arguments.workers) as maker:
        if device.type == "cuda" and not arguments.pictures_only:
            torch.backends.cudnn.benchmark = True  # pictures of two sizes only
            torch.set_float32_matmul_precision("high")
            learn_from_pictures(arguments, maker.open, device)  # while the processor makes the other pictures
            return
        maker.open()
    if not arguments.pictures_only:
        with tempfile.TemporaryDirectory() as folder:
            _learn_in_processes(arguments, Path(folder) / "meeting")


def _learn_in_processes(arguments: argparse.Namespace, meeting: Path) -> None:
    """Learn in several processes, none of which goes on when this one is interrupted, or when one has failed.

    Raises:
        PointADError, OSError, MemoryError, RuntimeError: what went wrong in the first one that failed.
        InputError: one was killed.
    """
    failures = multiprocessing.get_context("spawn").SimpleQueue()
    learning = multiprocessing.spawn(_learn_together, (arguments, meeting, failures), arguments.processes, join=False)
    try:
        while not learning.join():
            pass
    except ProcessException as error:
        if not failures.empty():  # the others fail because the first one is gone
            raise failures.get() from None
        if isinstance(error, ProcessExitedException):
            remedy = "run the same command again to continue, with fewer --processes or smaller batches"
            raise InputError("learning", "a process died, probably for lack of memory", remedy) from error
        raise
    finally:
        for process in learning.processes:
            process.terminate()


def chosen_device(arguments: argparse.Namespace) -> torch.device:
    """The device of --device, and --processes filled in for it."""
    device = choose_device(arguments.device)
    if device.type == "mps" and arguments.device == "auto":
        device = torch.device("cpu")
    if device.type not in ("cpu", "cuda"):
        raise InputError("--device", f"{device} cannot hold the pictures", "use cpu, or cuda where there is one")
    if arguments.processes is None:
        arguments.processes = min(2, os.cpu_count() or 1) if device.type == "cpu" else 1
    if device.type == "cuda" and arguments.processes > 1:
        raise InputError("--processes", f"{arguments.processes} on {device}, which takes one", "leave it out")
    return device


def check(arguments: argparse.Namespace) -> None:
    """Refuse what could not be learned, before anything is made.

    Raises:
        InputError: the start is not there or would be written over, or a process would have no pictures.
    """
    start = arguments.start_from
    if start is not None and not start.is_file():
        raise InputError(start, "is not there", "give weights that an earlier run wrote, or leave --start_from out")
    if start is not None and start.resolve() == arguments.weights.resolve():
        remedy = "write to another file (--weights), so that an interrupted run can begin there again"
        raise InputError(start, "would be written over while it is gone on from", remedy)
    # A process needs a rendering and a photograph in the smallest batch, of whole pictures, and of its share of all.
    if arguments.batch_size < 2 * WHOLE_PICTURES * arguments.processes:
        smallest = 2 * WHOLE_PICTURES * arguments.processes
        raise InputError("--batch_size", f"{arguments.batch_size} is too small", f"take {smallest} or more")
    if arguments.objects < arguments.processes:
        raise InputError("--objects", f"{arguments.objects} is too small", "take one for every process or more")


def learn_from_pictures(
    arguments: argparse.Namespace,
    opener: Callable[[int | None], PictureStore],
    device: torch.device,
    processes: Processes = ALONE,
) -> None:
    """What each learning process does."""
    plan = LearningPlan(
        arguments.wording_steps,
        arguments.guide_steps,
        arguments.steps,
        arguments.alone_steps,
        batch_size=arguments.batch_size,
        report_every=arguments.report_every,
        seed=arguments.seed,
    )
    learn(
        opener,
        plan,
        arguments.weights,
        device=device,
        processes=processes,
        start_from=arguments.start_from,
        kept=arguments.pictures,
        report=_report,
    )


def _learn_together(process: int, arguments: argparse.Namespace, meeting: Path, failures: SimpleQueue) -> None:
    """What each of several processes on CPUs does; an error that the person can mend is sent to the first process."""
    try:
        _learn_as_one_of_several(process, arguments, meeting)
    except Exception as error:
        if not isinstance(error, (PointADError, OSError)) and shortage(error) is None:
            raise
        failures.put(error)
        sys.exit(EXIT_ERROR)


def _learn_as_one_of_several(process: int, arguments: argparse.Namespace, meeting: Path) -> None:
    """Learn from the pictures, which are there."""
    obey_the_parent()
    end_with_parent()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{meeting}", rank=process, world_size=arguments.processes)
    with StoreMaker(arguments.pictures, arguments.objects, arguments.seed, workers=1) as maker:
        learn_from_pictures(arguments, maker.open, torch.device("cpu"), Processes(process, arguments.processes))
    distributed.destroy_process_group()


def _report(stage: str, step: int, losses: dict[str, float]) -> None:
    print(f"{stage} {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items()), flush=True)
