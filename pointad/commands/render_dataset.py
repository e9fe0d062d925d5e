"""Render a raw data set: nine views per scan, their ground truth and the point-to-pixel correspondences.

    python scripts/render_dataset.py --dataset mvtec_pc_3d_rgb --data_path RAW --save_path RENDERED
    python scripts/render_dataset.py --dataset mvtec_pc_3d_rgb --data_path RAW --save_path RENDERED --classes bagel tire
    python scripts/render_dataset.py --dataset real_pc_3d_rgb --data_path RAW --save_path RENDERED --num_workers 8
    python scripts/render_dataset.py --dataset minishift_pc_3d --data_path RAW --save_path RENDERED --shard 3/16
    python scripts/render_dataset.py --dataset mvtec_pc_3d_rgb --data_path RAW --save_path RENDERED --good_scans 50

The archive is never changed. Finished scans are skipped, so the same command continues after an interruption. A scan
that cannot be rendered is reported and does not stop the others; the exit code is then 2. At the end, the JSON files
that list the samples are written to RENDERED. rendering.json there records how the views were rendered; other flags
need another folder. Several machines can render one data set into the same folder, each with its own --shard; the last
one to finish lists all samples.

With --good_scans, good scans outside the test split are rendered as well, for test.py --shots: those of the training
split, or the templates of Real3D-AD and Anomaly-ShapeNet. good_scans.json lists them separately from the test samples.
"""

import argparse
import os
import sys
from pathlib import Path

from pointad.commands.argument_types import count, positive_integer
from pointad.commands.folder_arguments import add_folder_arguments
from pointad.commands.named_inputs import refuse_replacing_inputs
from pointad.commands.program import HelpFormatter
from pointad.commands.reading_arguments import add_reading_arguments
from pointad.commands.render_settings import CPU, RenderSettings
from pointad.commands.rendering_run import render_all
from pointad.commands.rig_arguments import RIG_FILE_HELP, add_rig_arguments, shard
from pointad.data.metadata import GOOD_SCANS_NAME
from pointad.data.shards import WHOLE
from pointad.datasets.registry import DATASETS
from pointad.rendering.options import CORRESPONDENCES, NORMALS_METHODS, VISIBILITIES


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--dataset", required=True, choices=tuple(DATASETS), help="the raw data set's format")
    parser.add_argument("--data_path", required=True, type=Path, help="the raw archive, with one folder per class")
    parser.add_argument("--save_path", required=True, type=Path, help="output folder of the rendered data set")
    parser.add_argument("--classes", nargs="+", metavar="CLASS", help="classes to render (default: all)")
    parser.add_argument(
        "--good_scans",
        type=positive_integer,
        nargs="?",
        const=sys.maxsize,
        metavar="N",
        help="also render good scans outside the test split, for test.py --shots: the first N of each class; without "
        "N, all. Those that were rendered before stay listed",
    )
    parser.add_argument("--num_workers", type=count, default=usable_cores(), help="number of processes")
    parser.add_argument(
        "--shard",
        type=shard,
        default=WHOLE,
        metavar="K/N",
        help="render only every N-th scan, starting with the K-th, while other machines render the rest into "
        "--save_path (default: all scans)",
    )
    parser.add_argument("--overwrite", action="store_true", help="render finished scans again")
    add_reading_arguments(parser)
    add_folder_arguments(parser)
    rig = parser.add_argument_group("rendering (defaults: as the released weights were trained)")
    rig.add_argument("--rig", type=Path, metavar="FILE", help=f"{RIG_FILE_HELP} (default: the data set's own)")
    add_rig_arguments(
        rig,
        view_help="rotations about x or y in degrees, such as x-45 x0 x45 y-30, or the number of the rig's "
        "views to use (default: all views of the rig)",
        point_help="size of a point in pixels, or auto: from the spacing of the points (default: the class's own)",
    )
    rig.add_argument(
        "--normals",
        choices=NORMALS_METHODS,
        default="exact",
        help="how normals are estimated; grid is faster, for organized scans only",
    )
    rig.add_argument(
        "--visibility",
        choices=VISIBILITIES,
        default="nearest",
        help="which points are visible in a view: the nearest one at each pixel, or all on the surface drawn there",
    )
    rig.add_argument(
        "--correspondence",
        choices=CORRESPONDENCES,
        default="truncated",
        help="pixel of a point: its coordinates truncated, as published, or the pixel that contains it",
    )
    rig.add_argument(
        "--device",
        default=CPU,
        help="cpu: NumPy renders one scan per process; a GPU such as cuda:0: PyTorch renders all views of a scan at "
        "once. The images are the same, except for single pixels that differ by one grey level",
    )
    return parser


def usable_cores() -> int:
    """How many cores this process may use, which is fewer than there are where a scheduler says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def written_lists(folder: Path) -> list[Path]:
    """The lists of samples that lie in a rendered data set, which are written again."""
    return [folder / GOOD_SCANS_NAME, *folder.glob("*_meta.json")]


def main(flags: argparse.Namespace) -> int:
    """Render as the flags say."""
    settings = RenderSettings.from_flags(flags)
    refuse_replacing_inputs(flags, written_lists(settings.save_path))
    return render_all(settings)
