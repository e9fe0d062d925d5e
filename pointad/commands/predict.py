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
import logging
import sys
import time
from pathlib import Path

import numpy as np

from pointad.commands.arguments import add_model_arguments, add_seed_argument
from pointad.commands.detector import load_detector
from pointad.commands.predict_outputs import FAIL, describe, write_facts, write_inspection
from pointad.commands.program import EXIT_ERROR, HelpFormatter, is_unicode, positive_float
from pointad.commands.scan_search import find_scans, output_folders
from pointad.errors import InputError, PointADError
from pointad.files.escaping import for_json_line
from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import Inspection, inspect_file

logger = logging.getLogger(__name__)

EXIT_FAIL = 1
NAMED_PARTS = 3  # of a path, in titles: many data sets call all their files 000, 001, ...
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


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
        type=positive_float,
        default=4.0,
        help="width of the smoothing, in pixels of the grid or of the views",
    )
    group.add_argument("--remove_table", action="store_true", help="remove the plane that an organized scan lies on")
    group.add_argument(
        "--metres_per_unit", type=positive_float, default=1.0, help="unit of the scans, 0.001 for mm (--remove_table)"
    )
    group = parser.add_argument_group("judging")
    exclusive = group.add_mutually_exclusive_group()
    exclusive.add_argument("--threshold", type=float, help="scores above it fail")
    exclusive.add_argument(
        "--calibrate", type=Path, nargs="+", metavar="GOOD", help="good scans that tell the threshold"
    )
    group.add_argument("--quantile", type=_fraction, default=0.95, help="of the good scans' scores (--calibrate)")
    group.add_argument("--region_threshold", type=float, help="lowest score of a point in a defect region")
    group.add_argument(
        "--heat_range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="scores at the ends of the colour scale, to compare scans by their colours (without it: of each scan the "
        "least, but for 5 %% of the points, and the greatest)",
    )
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Inspect every scan; one that cannot be inspected does not stop the others."""
    if not arguments.scans and not arguments.calibrate:
        raise InputError("SCAN", "none is named", "name files or folders")
    detector = load_detector(arguments)
    threshold = calibrated_threshold(detector, arguments) if arguments.calibrate else arguments.threshold
    scans = list(find_scans(arguments.scans, arguments.output))
    failed = broken = 0
    for path, folder in zip(scans, output_folders(scans, arguments.output), strict=True):
        facts = inspect_and_write(detector, path, folder, threshold, arguments)
        print(for_json_line(facts, ascii_only=not is_unicode(sys.stdout)), flush=True)
        broken += "error" in facts
        failed += facts.get("verdict") == FAIL
    logger.info("%d scans: %d failed, %d could not be inspected", len(scans), failed, broken)
    return EXIT_ERROR if broken else EXIT_FAIL if failed else 0


def inspect_and_write(
    detector: PointAD, path: Path, folder: Path, threshold: float | None, arguments: argparse.Namespace
) -> dict:
    """Inspect one scan and write its outputs; its facts, or what went wrong."""
    try:
        inspection = _inspect(detector, path, arguments)
        started = time.perf_counter()
        heat_range = None if arguments.heat_range is None else (arguments.heat_range[0], arguments.heat_range[1])
        write_inspection(folder, inspection, threshold, html=arguments.html, heat_range=heat_range)
        inspection.timings["write"] = time.perf_counter() - started
        facts = {"file": str(path), **describe(inspection, threshold), "output": str(folder)}
        write_facts(folder, {**facts, "backbone": detector.backbone_name, "demo": detector.is_demo})
        return facts
    except PointADError as error:
        logger.error("error: %s", error)
        return {"file": str(path), "error": str(error)}
    except Exception as error:  # a fault of the program on one scan must not stop a production line either
        logger.exception("%s", path)
        return {"file": str(path), "error": f"{type(error).__name__}: {error}"}


def calibrated_threshold(detector: PointAD, arguments: argparse.Namespace) -> float:
    """A quantile of the scores of good scans, all of which must be readable.

    Raises:
        InputError: there are no good scans, or one cannot be inspected.
    """
    good = list(find_scans(arguments.calibrate, arguments.output))
    scores = [_inspect(detector, path, arguments).prediction.score for path in good]
    threshold = float(np.quantile(scores, arguments.quantile, method="higher"))
    logger.info(
        "threshold %.6g: quantile %g of the scores of %d good scans (%.6g to %.6g)",
        threshold,
        arguments.quantile,
        len(scores),
        min(scores),
        max(scores),
    )
    return threshold


def find_picture(scan: Path, rgb: Path | None) -> Path | None:
    """The RGB picture of a scan: the file that was named, or the one called like the scan in the folder named.

    Raises:
        InputError: the folder has no such picture.
    """
    if rgb is None or not rgb.is_dir():
        return rgb
    for suffix in PICTURE_SUFFIXES:
        if (rgb / f"{scan.stem}{suffix}").is_file():
            return rgb / f"{scan.stem}{suffix}"
    raise InputError(rgb, f"has no picture called {scan.stem}", "name a folder with a picture for every scan")


def _inspect(detector: PointAD, path: Path, arguments: argparse.Namespace) -> Inspection:
    return inspect_file(
        detector,
        path,
        find_picture(path, arguments.rgb),
        name="/".join(path.parts[-NAMED_PARTS:]),
        region_threshold=arguments.region_threshold,
        options={
            "rig": arguments.rig,
            "sigma": arguments.sigma,
            "remove_table": arguments.remove_table,
            "metres_per_unit": arguments.metres_per_unit,
            "seed": arguments.seed,
        },
    )


def _fraction(text: str) -> float:
    value = positive_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1")
    return value
