"""Inspect scans: from files to scores, heat maps and interactive point clouds.

    python scripts/predict.py scan.ply                                    # demo weights
    python scripts/predict.py scan.ply more/ --checkpoint_path checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth --html
    python scripts/predict.py xyz/000.tiff --rgb rgb/000.png --remove_table
    python scripts/predict.py incoming/ --calibrate good/                 # exit status 0: all pass, 1: some fail
    python scripts/predict.py incoming/ --good good/                      # each compared with a few good scans

Files: organized .tiff .npy .npz (H x W x 3); clouds .pcd .ply .xyz .pts .txt .csv .asc .obj .npy .npz; meshes .ply .obj
.stl, whose surface is sampled. Any unit. Folders are searched for all of these but .txt and .csv.

Writes into --output/<file name>: heat.ply (the measured points, all of them, with heat colours and the property
"anomaly"), scores.npy (one value for every point, in file order, 0 for holes), sheet.png (views, their maps, the scores
of the points), prediction.json, and with --html cloud.html. Prints one line of JSON a scan; everything else goes to
standard error.

With --good or --reference every scan is compared with good scans of the same kind of object as well as with the
prompts; an RGB picture then plays no part, and the heat colours of all scans share one scale where there are two good
scans or more.

Regions are neighbouring points that score at least --region_threshold, by default half of
the way from the scan's median to its peak: they show where a scan looks least normal, even a good one.

Exit status: 0 all pass (or no threshold is given), 1 some score above the threshold, 2 some file cannot be inspected.
"""

import argparse
from pathlib import Path

from pointad.commands.arguments import add_encoding_arguments, add_model_arguments, add_seed_argument
from pointad.commands.looking_arguments import add_looking_arguments
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import HelpFormatter, finite_float, positive_float


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("scans", type=Path, nargs="*", metavar="SCAN", help="files, or folders to be searched")
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (default: those of the demo)")
    parser.add_argument(
        "--rgb",
        type=Path,
        help="RGB picture with the field of view of an organized scan, or a folder with one called like each scan",
    )
    parser.add_argument("--output", type=Path, default=Path("results") / "predict", help="folder of the outputs")
    parser.add_argument(
        "--html", action="store_true", help="write a page with the interactive point cloud of each scan"
    )
    add_model_arguments(parser)
    add_encoding_arguments(parser, with_cache=False)
    add_seed_argument(parser)
    add_looking_arguments(parser)
    group = parser.add_argument_group("good scans of the same kind of object")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--good",
        type=Path,
        nargs="+",
        metavar="GOOD",
        help="files or folders with a few good scans, with which each scan is compared; what is made of them is kept "
        "in --reference_cache",
    )
    exclusive.add_argument("--reference", type=Path, metavar="FILE", help="what scripts/reference.py made of them")
    group.add_argument(
        "--reference_cache",
        type=Path,
        default=Path("results") / "references",
        metavar="DIR",
        help="folder of what was made of --good; its files can be removed at any time",
    )
    group = parser.add_argument_group("judging")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument("--threshold", type=finite_float, help="scores above it fail")
    exclusive.add_argument(
        "--calibrate", type=Path, nargs="+", metavar="GOOD", help="good scans that tell the threshold"
    )
    group.add_argument(
        "--false_alarm_rate",
        type=_rate,
        metavar="RATE",
        help="fail as many good scans as this in the long run, such as 0.05: each scan gets a conformal p-value among "
        "the scores of the --good scans, each of which was compared with the others, and the false alarms among the "
        "scans of --calibrate are counted; without --good, the scores of --calibrate take their place",
    )
    group.add_argument("--quantile", type=_fraction, default=0.95, help="of the good scans' scores (--calibrate)")
    group.add_argument("--region_threshold", type=finite_float, help="lowest score of a point in a defect region")
    group.add_argument(
        "--heat_range",
        type=finite_float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="scores at the ends of the colour scale, to compare scans by their colours (default: of each scan the "
        "least, but for 5 %% of the points, and the greatest)",
    )
    return parser


def main(flags: argparse.Namespace) -> int:
    """Inspect scans as the flags say."""
    settings = PredictSettings.from_flags(flags)
    from pointad.commands.inspection_run import inspect_all  # PyTorch takes seconds to import

    return inspect_all(settings)


def _rate(text: str) -> float:
    value = positive_float(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text} is not below 1")
    return value


def _fraction(text: str) -> float:
    value = positive_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1")
    return value
