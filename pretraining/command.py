"""Make pictures of generated objects and pre-train on them the small CLIP that stands in for the real one on the demo.

    python scripts/pretrain_demo_backbone.py                       # writes checkpoints/demo_clip.{safetensors,json}
    python scripts/pretrain_demo_backbone.py --objects 1500 --guide_steps 200 --steps 500 --alone_steps 100

The pictures show generated objects that the demo data set does not have; they go to --pictures and are kept there,
with all that an interrupted run goes on from: start the same command again.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

from pointad.commands.arguments import ROOT
from pointad.commands.program import HelpFormatter, non_negative_integer, positive_integer
from pointad.compute.device import choose_device
from pointad.errors import InputError
from pretraining.learning import learn
from pretraining.picture_store import PictureStore, StoreMaker
from pretraining.plan import WHOLE_PICTURES, LearningPlan


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--weights", type=Path, default=ROOT / "checkpoints" / "demo_clip.safetensors", help="output")
    parser.add_argument("--pictures", type=Path, default=ROOT / "data" / "pretraining", help="folder of the pictures")
    parser.add_argument("--objects", type=positive_integer, default=12000, help="generated objects, 0.9 MB each")
    parser.add_argument("--pictures_only", action="store_true", help="make the pictures and stop")
    parser.add_argument("--wording_steps", type=positive_integer, default=300, help="steps of the text encoder")
    parser.add_argument("--guide_steps", type=positive_integer, default=1700, help="steps of the guide")
    parser.add_argument("--steps", type=positive_integer, default=4300, help="steps of the image encoder beside it")
    parser.add_argument("--alone_steps", type=positive_integer, default=2100, help="steps without the guide afterwards")
    parser.add_argument("--batch_size", type=positive_integer, default=512, help="cut-outs a step")
    parser.add_argument(
        "--start_from", type=Path, help="weights to go on from: the image encoder learns on for --alone_steps"
    )
    parser.add_argument("--seed", type=non_negative_integer, default=1, help="seed of everything random")
    parser.add_argument(
        "--device",
        default="auto",
        help="auto, cpu, cuda, cuda:1; a GPU takes a copy of all pictures, and learns while others are made",
    )
    parser.add_argument(
        "--report_every",
        type=positive_integer,
        default=100,
        help="steps between two reports; with each, the weights and what an interrupted run goes on from are written",
    )
    parser.add_argument("--workers", type=positive_integer, default=os.cpu_count(), help="processes that make pictures")
    parser.add_argument(
        "--processes",
        type=positive_integer,
        help="processes that learn on CPUs, each on one core (without it: two at the most)",
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Make the pictures and let one GPU or several processes learn."""
    device = chosen_device(arguments)
    check(arguments)
    print(f"pictures of {arguments.objects} objects in {arguments.pictures}", flush=True)
    with StoreMaker(arguments.pictures, arguments.objects, arguments.seed, arguments.workers) as maker:
        if device.type == "cuda" and not arguments.pictures_only:
            torch.backends.cudnn.benchmark = True  # pictures of two sizes only
            torch.set_float32_matmul_precision("high")
            learn_from_pictures(arguments, maker.open, device)  # while the processor makes the other pictures
            return
        maker.open()
    if not arguments.pictures_only:
        with tempfile.TemporaryDirectory() as folder:
            multiprocessing.spawn(_learn_together, (arguments, Path(folder) / "meeting"), arguments.processes)


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
    process: int = 0,
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
        process=process,
        processes=arguments.processes,
        start_from=arguments.start_from,
        kept=arguments.pictures,
        report=_report,
    )


def _learn_together(process: int, arguments: argparse.Namespace, meeting: Path) -> None:
    """What each of several processes on CPUs does; the pictures are there."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{meeting}", rank=process, world_size=arguments.processes)
    with StoreMaker(arguments.pictures, arguments.objects, arguments.seed, workers=1) as maker:
        learn_from_pictures(arguments, maker.open, torch.device("cpu"), process)
    distributed.destroy_process_group()


def _report(stage: str, step: int, losses: dict[str, float]) -> None:
    print(f"{stage} {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items()), flush=True)
