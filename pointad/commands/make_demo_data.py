"""Generate the demo data set: scans of ten kinds of objects, in the raw format of MVTec 3D-AD or another data set.

    python scripts/make_demo_data.py                          # all ten classes below data/demo/raw
    python scripts/make_demo_data.py --output OUT --classes gear pear
    python scripts/make_demo_data.py --format real3d          # below data/demo/real3d/raw

The same seed gives the same bytes. Existing scans are overwritten, so nothing needs to be cleaned up if the generator
has changed. demo_data.json records the settings; another --format, --seed or --good needs another folder.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from pointad.commands.argument_types import count, non_negative_integer
from pointad.commands.ensure_demo_data import all_rendered, render_all
from pointad.commands.places import demo_data_folder
from pointad.commands.program import HelpFormatter
from pointad.compute.interrupts import end_with_parent, held_interrupts, obey_the_parent
from pointad.compute.pools import lost_managers_noticed
from pointad.demo import eyecandies, real3d, scans
from pointad.demo.generation import Generation, agree_on_generation
from pointad.demo.objects import CLASSES
from pointad.errors import InputError, counted, shown
from pointad.files.atomic import make_folder
from pointad.files.standing_folders import Standing, know, refuse_replaced, standing_folder

SEED = 2024
FORMATS = {"mvtec3d": scans, "eyecandies": eyecandies, "real3d": real3d}
_DATASETS = {"mvtec3d": "mvtec_pc_3d_rgb", "eyecandies": "eye_pc_3d_rgb", "real3d": "real_pc_3d_rgb"}


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--format", choices=tuple(FORMATS), default="mvtec3d", help="raw format to write")
    parser.add_argument(
        "--output",
        type=Path,
        help="output folder, with one subfolder per class (default: data/demo/raw, or data/demo/<format>/raw)",
    )
    parser.add_argument(
        "--rendered",
        type=Path,
        metavar="FOLDER",
        help="also render the scans into this folder; if it lists all of those in the output folder, nothing is done",
    )
    parser.add_argument("--classes", nargs="+", choices=CLASSES, default=list(CLASSES), metavar="CLASS", help="classes")
    parser.add_argument(
        "--good",
        type=count,
        metavar="N",
        help=f"good scans of each class in the test split, for mvtec3d (default: {scans.TEST_SCANS['good']})",
    )
    parser.add_argument("--seed", type=non_negative_integer, default=SEED, help="random seed")
    parser.add_argument("--workers", type=count, default=os.cpu_count() or 1, help="number of processes")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Write every scan of the chosen classes, and render them if asked to."""
    chosen = FORMATS[arguments.format]
    folder = demo_data_folder() if arguments.format == "mvtec3d" else demo_data_folder() / arguments.format
    output = arguments.output or folder / "raw"
    dataset, rendered = _DATASETS[arguments.format], arguments.rendered
    if rendered is not None and all_rendered(dataset, output, rendered):
        return
    classes = tuple(arguments.classes)
    good = None
    if arguments.format == "mvtec3d":
        good = scans.TEST_SCANS["good"] if arguments.good is None else arguments.good
        names = list(scans.list_scans(classes, good))
    elif arguments.good is None:
        names = list(chosen.list_scans(classes))
    else:
        raise InputError("--good", f"the format {arguments.format} has a fixed number of good scans", "leave it out")
    make_folder(output)
    with standing_folder(output) as standing:
        agree_on_generation(output, Generation(arguments.format, arguments.seed, good), CLASSES)
        _write_all(names, partial(chosen.write_scan, seed=arguments.seed, root=output), arguments.workers, standing)
        if arguments.format == "mvtec3d":
            for class_name in classes:
                scans.write_calibration(class_name, output)
        refuse_replaced(output)
    print(f"{counted(len(names), 'scan')} of {counted(len(classes), 'class')} in {shown(output)}", flush=True)
    if rendered is not None:
        render_all(dataset, output, rendered)


def _write_all(
    names: Sequence[scans.ScanName], write: Callable[[scans.ScanName], None], workers: int, standing: Standing
) -> None:
    """Write scans in several processes."""
    start = partial(_start_worker, standing)
    with lost_managers_noticed(), ProcessPoolExecutor(min(workers, len(names)), initializer=start) as pool:
        try:
            with held_interrupts():  # while processes are started
                written = pool.map(write, names, chunksize=4)
            for _ in written:
                pass
        except BrokenProcessPool as error:
            problem = "a worker process died, probably for lack of memory"
            raise InputError("generating", problem, "run again with fewer --workers") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker(standing: Standing) -> None:
    know(standing)
    obey_the_parent()
    end_with_parent()
