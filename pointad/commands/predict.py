"""Inspect scans: from files to scores, heat maps and interactive point clouds.

    python scripts/predict.py scan.ply                                    # demo weights
    python scripts/predict.py scan.ply more/ --checkpoint_path checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth --html
    python scripts/predict.py xyz/000.tiff --rgb rgb/000.png --remove_table
    python scripts/predict.py incoming/ --calibrate good/                 # exit status 0: all pass, 1: some fail
    python scripts/predict.py incoming/ --good good/                      # each compared with a few good scans

Files: organized scans .tiff .npy .npz (H x W x 3); clouds .pcd .ply .xyz .pts .txt .csv .tsv .asc .obj .npy .npz;
meshes .ply .obj .stl, whose surface is sampled. Any unit. Folders are searched for all of these except .txt, .csv and
.tsv; name those explicitly (scans/*.csv). For other formats and height maps, see docs/formats.md.

Writes to --output/<file name>: heat.ply (all measured points, with heat colours and the property "anomaly"), scores.npy
(one score per point, in file order, 0 if it is ignored), sheet.png (views, their maps, the scores of the points),
prediction.json, and with --html cloud.html. Prints one line of JSON per scan; everything else goes to standard error.

With --good or --reference, every scan is compared with good scans of the same kind of object in addition to the
prompts, and its RGB image with theirs (--good_rgb). With two or more good scans, the heat colours of all scans share
one scale.

Regions are connected points with scores of at least --region_threshold, by default halfway between the scan's median
and its maximum. They show where a scan looks least normal, even if it is good.

Exit status: 0 all pass (or no threshold is given), 1 at least one scan fails, 2 at least one file cannot be inspected.
"""

import argparse
from pathlib import Path

from pointad.commands.argument_types import finite_float, positive_float
from pointad.commands.arguments import add_encoding_arguments, add_model_arguments, add_seed_argument
from pointad.commands.looking_arguments import add_looking_arguments
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import HelpFormatter


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("scans", type=Path, nargs="*", metavar="SCAN", help="files, or folders to search")
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (default: the demo prompts)")
    parser.add_argument(
        "--rgb",
        type=Path,
        help="RGB image of an organized scan, with the same field of view, or a folder with an image named after each "
        "scan",
    )
    parser.add_argument("--output", type=Path, default=Path("results") / "predict", help="output folder")
    parser.add_argument(
        "--html", action="store_true", help="write a page with the interactive point cloud of each scan"
    )
    add_model_arguments(parser, demo="without --checkpoint_path")
    add_encoding_arguments(parser, with_cache=False)
    add_seed_argument(parser)
    add_looking_arguments(parser)
    group = parser.add_argument_group("good scans of the same kind of object")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument(
        "--good",
        type=Path,
        nargs="+",
        action="extend",
        metavar="GOOD",
        help="files or folders with a few good scans to compare each scan with; the reference made from them is cached "
        "in --reference_cache",
    )
    exclusive.add_argument("--reference", type=Path, metavar="FILE", help="a reference made by scripts/reference.py")
    group.add_argument(
        "--good_rgb",
        type=Path,
        metavar="DIR",
        help="folder with an RGB image named after each scan of --good, to compare those of --rgb with (default: the "
        "files' own colours, if all organized scans have them)",
    )
    group.add_argument(
        "--reference_cache",
        type=Path,
        metavar="DIR",
        help="folder of the references made from --good; its files may be deleted at any time "
        "(default: results/references)",
    )
    group = parser.add_argument_group("verdicts and regions")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument("--threshold", type=finite_float, help="scans with a higher score fail")
    exclusive.add_argument(
        "--calibrate",
        type=Path,
        nargs="+",
        action="extend",
        metavar="GOOD",
        help="good scans to calibrate the threshold on",
    )
    group.add_argument(
        "--false_alarm_rate",
        type=_rate,
        metavar="RATE",
        help="fail scans at this false-alarm rate, such as 0.05. Each scan gets a conformal p-value relative to the "
        "leave-one-out scores of the --good scans, and false alarms are counted on the scans of --calibrate; without "
        "--good, the scores of --calibrate are used instead",
    )
    group.add_argument(
        "--quantile",
        type=_fraction,
        help="quantile of the good scans' scores used as the threshold (--calibrate) (default: 0.95)",
    )
    group.add_argument(
        "--region_threshold",
        type=finite_float,
        help="lowest score of a point in a defect region (default: halfway between each scan's median and maximum)",
    )
    group.add_argument(
        "--heat_range",
        type=finite_float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="scores at the ends of the colour scale, so that colours are comparable between scans (default: the 5 %% "
        "quantile and the maximum of each scan)",
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
    return positive_float(text, largest=1)
