"""Tests learned prompts on classes that they never saw, and prints the result tables (PointAD).

    python test.py                                                       # demo data, demo backbone, demo prompts
    python test.py --data_path /data/mvtec3d-rendered --checkpoint_path checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth
    python test.py --data_path /data/mvtec3d-rendered --prompts ensemble # no learning: "CLIP + R."
    torchrun --nproc_per_node=4 test.py …                                # four processes, a GPU each if there are any

Writes into --save_path: results.json, scores.csv, curves.json and log.txt (with several checkpoints one folder each),
with --save_maps maps/<class>/<species>/<id>.npz, with --visualize a picture of every sample.
"""

import argparse
import logging
from pathlib import Path

from pointad.commands.arguments import (
    add_data_arguments,
    add_encoding_arguments,
    add_model_arguments,
    add_prompt_arguments,
    add_scoring_arguments,
    add_seed_argument,
)
from pointad.commands.loading import load_data, load_model, log_encoded, log_to_file, make_encoder, settle_data
from pointad.commands.program import HelpFormatter, positive_integer
from pointad.commands.prompt_sets import load_prompt_sets
from pointad.commands.tables import print_tables
from pointad.compute.processes import Processes, joined_processes
from pointad.data.view_subset import view_subset
from pointad.datasets.registry import specification
from pointad.evaluation.evaluation import EvaluationSettings, evaluate
from pointad.evaluation.run_writer import RunWriter
from pointad.files.names import place_below
from pointad.inspection.predictor import demo_checkpoints
from pointad.metrics import ALL_METRICS, metric_names

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program; those of the published scripts keep their names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--checkpoint_path",
        type=Path,
        nargs="+",
        help="learned prompts; several are tested in one pass over the data (without it: those of the demo)",
    )
    parser.add_argument(
        "--train_class",
        "--train_dataset_name",
        help="class that the prompts were trained on, left out here (without it: as run.json beside the checkpoint "
        "says, else the checkpoint's folder if it is called like a class)",
    )
    parser.add_argument("--save_path", type=Path, default=Path("results") / "test", help="folder of the outputs")
    add_data_arguments(parser)
    add_model_arguments(parser)
    add_encoding_arguments(parser)
    add_prompt_arguments(parser)
    add_scoring_arguments(parser)
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "--metrics",
        choices=("image-level", "pixel-level", "image-pixel-level"),
        default="image-pixel-level",
        help="what is measured",
    )
    group.add_argument("--extra_metrics", nargs="+", choices=ALL_METRICS, default=[], help="measured beside these")
    group.add_argument(
        "--aupro",
        choices=("exact", "published"),
        default="exact",
        help="the exact area, or the published code's variant with 200 thresholds",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--save_maps", action="store_true", help="write the maps of every sample")
    group.add_argument("--visualize", action="store_true", help="write a picture of every sample")
    parser.add_argument(
        "--batch_size",
        type=positive_integer,
        help="samples that are encoded together (without it: as many as suit the device's memory)",
    )
    add_seed_argument(parser)
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Encode the data set once, score it with every checkpoint, print and write what was found."""
    with joined_processes() as processes:
        measure(arguments, processes)


def measure(arguments: argparse.Namespace, processes: Processes) -> None:
    """The part of the run that this process does; the first one prints and writes."""
    if arguments.data_path is None and arguments.checkpoint_path is None and arguments.prompts != "ensemble":
        arguments.checkpoint_path = demo_checkpoints()
    settle_data(arguments, processes)
    log_to_file(arguments.save_path, processes)
    backbone = load_model(arguments, processes)
    dataset = load_data(arguments, training=False)
    prompt_sets = load_prompt_sets(arguments, backbone, {source.class_name for source in dataset.sources})
    about = specification(arguments.dataset)
    settings = EvaluationSettings(
        sigma=arguments.sigma,
        fusion=arguments.fusion,
        metrics=metric_names(arguments.metrics, aupro=about.reports_aupro, extra=arguments.extra_metrics),
        aupro=arguments.aupro,
        batch_size=arguments.batch_size,
        keep_views=arguments.visualize,
        num_workers=arguments.num_workers,
    )
    encoder = make_encoder(arguments, backbone)
    facts = {
        "dataset": about.name,
        "dataset_title": f"demo data ({about.title} format)" if arguments.demo_data else about.title,
        "data_path": str(arguments.data_path),
        "backbone": backbone.name,
        "is_demo": backbone.is_demo,
        "clip_weights": str(arguments.clip_weights),
        "views": list(view_subset(arguments.views, organized=about.organized)),
        "sigma": arguments.sigma,
        "fusion": arguments.fusion,
        "seed": arguments.seed,
        "aupro": arguments.aupro,
        "image_size": arguments.image_size,
        "precision": arguments.precision,
        "render": arguments.render,
    }
    several = len(prompt_sets) > 1
    writers = {
        loaded.prompts.name: RunWriter(
            place_below(arguments.save_path, loaded.prompts.name) if several else arguments.save_path,
            {**facts, **loaded.facts},
            save_maps=arguments.save_maps,
            visualize=arguments.visualize,
        )
        for loaded in prompt_sets
    }
    evaluation = evaluate(
        encoder,
        dataset,
        [loaded.prompts for loaded in prompt_sets],
        settings,
        on_sample=lambda sample: writers[sample.prompts].add_sample(sample),
        processes=processes,
    )
    for outcome in evaluation:
        writers[outcome.prompts].add_class(outcome)
    log_encoded(encoder, processes)
    if processes.is_first:
        print_tables([writer.finish() for writer in writers.values()], arguments.save_path)
