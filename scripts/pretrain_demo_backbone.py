"""Pre-train the small CLIP that stands in for the real one on the demo data: pictures first, then the learning.

    python scripts/pretrain_demo_backbone.py                       # writes checkpoints/demo_clip.{safetensors,json}
    python scripts/pretrain_demo_backbone.py --steps 500 --objects 1500 --weights /tmp/trial.safetensors

The pictures show generated objects that the demo data set does not have; they go to --pictures and are kept there,
with all that an interrupted run goes on from: start the same command again.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

from pointad.demo.pretraining.learning import LearningPlan, learn
from pointad.demo.pretraining.picture_store import make_store
from scripts.arguments import ROOT
from scripts.command_line import HelpFormatter, non_negative_integer, positive_integer, run


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--weights", type=Path, default=ROOT / "checkpoints" / "demo_clip.safetensors", help="output")
    parser.add_argument("--pictures", type=Path, default=ROOT / "data" / "pretraining", help="folder of the pictures")
    parser.add_argument("--objects", type=positive_integer, default=8000, help="generated objects, 0.6 MB each")
    parser.add_argument("--wording_steps", type=positive_integer, default=300, help="steps of the text encoder")
    parser.add_argument("--guide_steps", type=positive_integer, default=6000, help="steps of the guide")
    parser.add_argument("--steps", type=positive_integer, default=10000, help="steps of the image encoder")
    parser.add_argument(
        "--start_from", type=Path, help="weights to go on from: the image encoder alone learns on, for --steps"
    )
    parser.add_argument("--seed", type=non_negative_integer, default=1, help="seed of everything random")
    parser.add_argument("--processes", type=positive_integer, default=min(2, os.cpu_count() or 1), help="processes")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Make the pictures, then let the processes learn."""
    print(f"pictures of {arguments.objects} objects in {arguments.pictures}", flush=True)
    make_store(arguments.pictures, arguments.objects, arguments.seed, arguments.processes)
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(_learn, (arguments, Path(folder) / "meeting"), arguments.processes)


def _learn(process: int, arguments: argparse.Namespace, meeting: Path) -> None:
    """What each process does."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{meeting}", rank=process, world_size=arguments.processes)
    store = make_store(arguments.pictures, arguments.objects, arguments.seed, workers=1)  # there already: opened
    learn(
        store,
        LearningPlan(arguments.wording_steps, arguments.guide_steps, arguments.steps, seed=arguments.seed),
        arguments.weights,
        process=process,
        processes=arguments.processes,
        start_from=arguments.start_from,
        kept=arguments.pictures,
        report=_report,
    )
    distributed.destroy_process_group()


def _report(stage: str, step: int, losses: dict[str, float]) -> None:
    print(f"{stage} {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items()), flush=True)


if __name__ == "__main__":
    run(main, build_parser())
