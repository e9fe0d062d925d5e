"""Tests learned prompts on unseen classes and prints the result tables (PointAD).

    python test.py                                                       # demo data, demo backbone, demo prompts
    python test.py --data_path /data/mvtec3d-rendered --checkpoint_path checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth
    python test.py --data_path /data/mvtec3d-rendered --prompts ensemble # no learning: "CLIP + R."
    torchrun --nproc_per_node=4 test.py …                                # four processes, one GPU each if available

Writes into --save_path: results.json, scores.csv, curves.json and log.txt (one folder per checkpoint if several),
with --save_maps maps/<class>/<species>/<id>.npz, with --visualize an image of every sample.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from pointad.commands.argument_types import count, non_negative_integer, positive_integer
from pointad.commands.arguments import (
    add_data_arguments,
    add_encoding_arguments,
    add_experiment_arguments,
    add_model_arguments,
    add_prompt_arguments,
    add_scoring_arguments,
)
from pointad.commands.finished_runs import is_alone, untested
from pointad.commands.idle_flags import idle_in_test
from pointad.commands.named_inputs import refuse_replacing_inputs
from pointad.commands.program import HelpFormatter
from pointad.commands.run_inputs import read_given
from pointad.commands.test_settings import TestSettings
from pointad.metrics import ALL_METRICS

SHOTS_ONLY = ("draws", "good_from", "seed")  # flags that mean nothing without --shots
logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program; those of the published scripts keep their names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--checkpoint_path",
        type=Path,
        nargs="+",
        help="learned prompts; several are tested in one pass over the data (default: the demo prompts)",
    )
    parser.add_argument(
        "--train_class",
        "--train_dataset_name",
        help="class that the prompts were trained on, which is left out of the test (default: from epoch_<n>.json or "
        "run.json next to the checkpoint, else the name of the checkpoint's folder if it is a class)",
    )
    parser.add_argument("--save_path", type=Path, default=Path("results") / "test", help="output folder")
    add_data_arguments(parser)
    add_model_arguments(parser)
    add_encoding_arguments(parser)
    add_prompt_arguments(parser)
    add_scoring_arguments(parser)
    group = parser.add_argument_group("metrics")
    group.add_argument(
        "--metrics",
        choices=("image-level", "pixel-level", "image-pixel-level"),
        default="image-pixel-level",
        help="metrics to compute",
    )
    group.add_argument("--extra_metrics", nargs="+", choices=ALL_METRICS, default=[], help="additional metrics")
    group.add_argument(
        "--aupro",
        choices=("exact", "published"),
        default="exact",
        help="AUPRO as the exact area, or the published code's variant with 200 thresholds",
    )
    group = parser.add_argument_group("few-shot test")
    group.add_argument(
        "--shots",
        type=positive_integer,
        nargs="+",
        metavar="K",
        help="compare each class with K of its good scans, including their RGB images, and zero-shot; writes "
        "<K>-shot/results.json, shots.csv and, with every draw, shots.json instead of the usual files",
    )
    group.add_argument("--draws", type=count, help="number of random draws of the good scans (--shots) (default: 5)")
    group.add_argument(
        "--good_from",
        choices=("train", "test"),
        help="where good scans are drawn from: train: outside the test split, if the data set has any there "
        "(scripts/render_dataset.py --good_scans renders them); test: the test split, where the scans of a draw are "
        "left out of its test (default: train)",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--save_maps", action="store_true", help="save the anomaly maps of every sample")
    group.add_argument("--visualize", action="store_true", help="save an image of every sample")
    group.add_argument(
        "--skip_finished",
        action="store_true",
        help="test only those prompts whose results are not in --save_path yet; results that were made with other "
        "flags, weights or data are refused",
    )
    parser.add_argument(
        "--batch_size",
        type=positive_integer,
        help="samples that are encoded together (default: chosen for the device's memory)",
    )
    add_experiment_arguments(parser)
    parser.add_argument(
        "--allow_mismatch",
        action="store_true",
        help="accept another CLIP than the prompts were learned with",
    )
    parser.add_argument(
        "--seed",
        type=non_negative_integer,
        help="random seed for the draws of --shots (default: 111); otherwise accepted for compatibility without "
        "effect, since testing is deterministic",
    )
    return parser


def looked_at(flags: argparse.Namespace, settings: TestSettings) -> TestSettings:
    """The settings with everything that the program is given."""
    unimportant = ("batch_size",) if settings.shots else ("batch_size", *SHOTS_ONLY)
    given = read_given(
        flags,
        settings.data,
        settings.model,
        usual=build_parser().parse_args([]),
        meant={"draws": settings.draws, "good_from": settings.good_from, "seed": settings.draw_seed},
        leave_out=unimportant,
        with_good=bool(settings.shots),
    )
    return replace(settings, given=given)


def main(flags: argparse.Namespace) -> None:
    """Test prompts as the flags say."""
    settings = TestSettings.from_flags(flags)
    for flag, reason in idle_in_test(flags, settings.metrics):
        logger.info("%s has no effect: %s", flag, reason)
    refuse_replacing_inputs(flags, settings.written())
    settings = looked_at(flags, settings)
    if settings.skip_finished and is_alone() and untested(settings) is None:
        return
    # PyTorch takes seconds to import: not before it is needed.
    if settings.shots:
        from pointad.commands.shots_run import run_shots

        run_shots(settings)
        return
    from pointad.commands.evaluation_run import run_test

    run_test(settings)
