"""Render generated objects, and pre-train the small CLIP on them that stands in for the real one in the demo.

    python scripts/pretrain_demo_backbone.py                       # writes checkpoints/demo_clip.{safetensors,json}
    python scripts/pretrain_demo_backbone.py --objects 1500 --guide_steps 200 --steps 500 --alone_steps 100

The generated objects do not occur in the demo data set. Their pictures are kept in --pictures, with everything that is
needed to continue an interrupted run: start the same command again.
"""

import argparse
import os
from pathlib import Path

from pointad.commands.argument_types import non_negative_integer, positive_integer
from pointad.commands.named_inputs import refuse_overwriting
from pointad.commands.places import SOURCE
from pointad.commands.program import HelpFormatter


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--weights", type=Path, default=SOURCE / "checkpoints" / "demo_clip.safetensors", help="output file"
    )
    parser.add_argument("--pictures", type=Path, default=SOURCE / "data" / "pretraining", help="folder of the pictures")
    parser.add_argument(
        "--objects", type=positive_integer, default=12000, help="number of generated objects, 0.9 MB each"
    )
    parser.add_argument("--pictures_only", action="store_true", help="make the pictures and stop")
    parser.add_argument("--wording_steps", type=positive_integer, default=300, help="steps of the text encoder")
    parser.add_argument("--guide_steps", type=positive_integer, default=1700, help="steps of the guide")
    parser.add_argument(
        "--steps", type=positive_integer, default=4300, help="steps of the image encoder with the guide"
    )
    parser.add_argument(
        "--alone_steps",
        type=positive_integer,
        default=2100,
        help="further steps of the image encoder without the guide",
    )
    parser.add_argument("--batch_size", type=positive_integer, default=512, help="crops per step")
    parser.add_argument("--start_from", type=Path, help="weights to continue from: only the --alone_steps are trained")
    parser.add_argument("--seed", type=non_negative_integer, default=1, help="random seed")
    parser.add_argument(
        "--device",
        default="auto",
        help="auto, cpu, cuda, cuda:1; a GPU holds a copy of all pictures, and trains while others are made",
    )
    parser.add_argument(
        "--report_every",
        type=positive_integer,
        default=100,
        help="steps between reports; each also saves the weights and the state of the training",
    )
    parser.add_argument(
        "--workers", type=positive_integer, default=os.cpu_count(), help="number of processes that make pictures"
    )
    parser.add_argument(
        "--processes",
        type=positive_integer,
        help="number of processes that train on CPUs, one core each (default: at most two)",
    )
    return parser


def main(flags: argparse.Namespace) -> None:
    """Pre-train as the flags say."""
    if flags.start_from is not None:
        refuse_overwriting([flags.start_from], [flags.weights])
    from pretraining.run import pretrain  # PyTorch takes seconds to import

    pretrain(flags)
