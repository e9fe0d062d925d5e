"""Make pictures of generated objects and pre-train on them the small CLIP that stands in for the real one on the demo.

    python scripts/pretrain_demo_backbone.py                       # writes checkpoints/demo_clip.{safetensors,json}
    python scripts/pretrain_demo_backbone.py --objects 1500 --guide_steps 200 --steps 500 --alone_steps 100

The pictures show generated objects that the demo data set does not have; they go to --pictures and are kept there,
with all that an interrupted run is continued from: start the same command again.
"""

import argparse
import os
from pathlib import Path

from pointad.commands.places import SOURCE
from pointad.commands.program import HelpFormatter, non_negative_integer, positive_integer


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--weights", type=Path, default=SOURCE / "checkpoints" / "demo_clip.safetensors", help="output")
    parser.add_argument("--pictures", type=Path, default=SOURCE / "data" / "pretraining", help="folder of the pictures")
    parser.add_argument("--objects", type=positive_integer, default=12000, help="generated objects, 0.9 MB each")
    parser.add_argument("--pictures_only", action="store_true", help="make the pictures and stop")
    parser.add_argument("--wording_steps", type=positive_integer, default=300, help="steps of the text encoder")
    parser.add_argument("--guide_steps", type=positive_integer, default=1700, help="steps of the guide")
    parser.add_argument("--steps", type=positive_integer, default=4300, help="steps of the image encoder beside it")
    parser.add_argument("--alone_steps", type=positive_integer, default=2100, help="steps without the guide afterwards")
    parser.add_argument("--batch_size", type=positive_integer, default=512, help="cut-outs a step")
    parser.add_argument(
        "--start_from", type=Path, help="weights to start from: the image encoder is trained for --alone_steps"
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
        help="steps between two reports; with each, the weights and the state of the training are written",
    )
    parser.add_argument("--workers", type=positive_integer, default=os.cpu_count(), help="processes that make pictures")
    parser.add_argument(
        "--processes",
        type=positive_integer,
        help="processes that learn on CPUs, each on one core (default: two at the most)",
    )
    return parser


def main(flags: argparse.Namespace) -> None:
    """Pre-train as the flags say."""
    from pretraining.run import pretrain  # PyTorch takes seconds to import

    pretrain(flags)
