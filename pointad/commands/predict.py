"""Inspect scans: from files to scores, heat maps and clouds that can be turned.

    python scripts/predict.py scan.ply                                    # demo weights
    python scripts/predict.py scan.ply more/ --checkpoint_path checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth --html
    python scripts/predict.py xyz/000.tiff --rgb rgb/000.png --remove_table
    python scripts/predict.py incoming/ --calibrate good/                 # exit status 0: all pass, 1: some fail

Files: organized .tiff .npy .npz (H x W x 3); clouds .pcd .ply .xyz .pts .txt .csv .asc .obj .npy .npz; meshes .ply .obj
.stl, whose surface is sampled. Any unit. Folders are searched for all of these but .txt and .csv.

Writes into --output/<file name>: heat.ply (the measured points, all of them, with heat colours and the property
"anomaly"), scores.npy (one value for every point, in file order, 0 for holes), sheet.png (views, their maps, the scores
of the points), prediction.json, and with --html cloud.html. Prints one line of JSON a scan; everything else goes to
standard error.

Regions are neighbouring points that score at least --region_threshold; without it, at least halfway from the scan's
median to its peak, so that they show where a scan looks least normal, even a good one.

Exit status: 0 all pass (or no threshold is given), 1 some score above the threshold, 2 some file cannot be inspected.
"""

import argparse
from pathlib import Path

from pointad.commands.arguments import add_encoding_arguments, add_model_arguments, add_seed_argument
from pointad.commands.predict_settings import PredictSettings
from pointad.commands.program import HelpFormatter, finite_float, non_negative_float, positive_float
from pointad.commands.reading_arguments import add_cluster_argument
from pointad.scoring.options import DEFAULT_SIGMA


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("scans", type=Path, nargs="*", metavar="SCAN", help="files, or folders to be searched")
    parser.add_argument("--checkpoint_path", type=Path, help="learned prompts (without it: those of the demo)")
    parser.add_argument(
        "--rgb",
        type=Path,
        help="RGB picture with the field of view of an organized scan, or a folder with one called like each scan",
    )
    parser.add_argument("--output", type=Path, default=Path("results") / "predict", help="folder of the outputs")
    parser.add_argument("--html", action="store_true", help="write a page with the cloud to be turned for each scan")
    add_model_arguments(parser)
    add_encoding_arguments(parser, with_cache=False)
    add_seed_argument(parser)
    group = parser.add_argument_group("looking")
    group.add_argument(
        "--rig",
        choices=("auto", "front", "around"),
        default="auto",
        help="directions of the views: front for scans from one side, around for closed shapes; auto takes front for "
        "organized scans and around for others",
    )
    group.add_argument(
        "--sigma",
        type=non_negative_float,
        default=DEFAULT_SIGMA,
        help="width of the smoothing, in pixels of the grid or of the views; 0 smooths nothing",
    )
    group.add_argument("--remove_table", action="store_true", help="remove the plane that an organized scan lies on")
    group.add_argument(
        "--metres_per_unit", type=positive_float, default=1.0, help="unit of the scans, 0.001 for mm (--remove_table)"
    )
    add_cluster_argument(group)
    group = parser.add_argument_group("judging")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument("--threshold", type=finite_float, help="scores above it fail")
    exclusive.add_argument(
        "--calibrate", type=Path, nargs="+", metavar="GOOD", help="good scans that tell the threshold"
    )
    group.add_argument("--quantile", type=_fraction, default=0.95, help="of the good scans' scores (--calibrate)")
    group.add_argument("--region_threshold", type=finite_float, help="lowest score of a point in a defect region")
    group.add_argument(
        "--heat_range",
        type=finite_float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="scores at the ends of the colour scale, to compare scans by their colours (without it: of each scan the "
        "least, but for 5 %% of the points, and the greatest)",
    )
    return parser


def main(flags: argparse.Namespace) -> int:
    """Inspect scans as the flags say."""
    settings = PredictSettings.from_flags(flags)
    from pointad.commands.inspection_run import inspect_all  # PyTorch takes seconds to import

    return inspect_all(settings)


def _fraction(text: str) -> float:
    value = positive_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1")
    return value
