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
import logging
import os
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from pointad.commands.argument_types import positive_integer
from pointad.commands.folder_arguments import add_folder_arguments, chosen_dataset
from pointad.commands.program import EXIT_ERROR, HelpFormatter
from pointad.commands.reading_arguments import add_reading_arguments, reading_options
from pointad.commands.rig_arguments import RIG_FILE_HELP, add_rig_arguments, shard, view_choice
from pointad.data.export import ELSEWHERE, FAILED, RENDERED, SKIPPED, export_samples
from pointad.data.layout import ON_THE_FLY
from pointad.data.listing import write_metadata
from pointad.data.metadata import GOOD_SCANS_NAME, read_metadata
from pointad.data.own_data import settled
from pointad.data.raw import RenderingOptions, check_apart, list_good_scans, list_raw_samples
from pointad.data.raw_places import refuse_links_into, refuse_nested
from pointad.data.rendering_settings import agree_on_settings, may_be_of_another, note_source, other_sources
from pointad.data.shards import WHOLE, Shard
from pointad.data.staleness import left_behind
from pointad.data.view_subset import chosen_directions
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS
from pointad.errors import InputError, counted, shown
from pointad.files.atomic import make_folder
from pointad.files.standing_folders import standing_folder
from pointad.rendering.renderer import CORRESPONDENCES, NORMALS_METHODS, VISIBILITIES
from pointad.scans.point_cloud import RawSample

CPU = "cpu"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderSettings:
    """One run of scripts/render_dataset.py."""

    dataset: DatasetSpecification
    archive: Path
    save_path: Path
    classes: tuple[str, ...] | None  # None: all that are there
    good_scans: int | None  # at most so many a class, beside the test split; None: none
    rendering: RenderingOptions
    num_workers: int
    shard: Shard
    overwrite: bool

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "RenderSettings":
        """The settings that parsed flags ask for.

        Raises:
            InputError: the renderings would be written into the archive.
        """
        refuse_nested(flags.data_path, flags.save_path)
        about = settled(chosen_dataset(flags), flags.data_path, ON_THE_FLY)
        directions = chosen_directions(view_choice(flags.views, flags.rig), about.rig, organized=about.organized)
        rendering = RenderingOptions(
            views=directions or about.own_directions,
            point_size=flags.point_pixels,
            normals_method=flags.normals,
            visibility=flags.visibility,
            correspondence=flags.correspondence,
            device=drawing_device(flags.device),
            reading=reading_options(flags),
        )
        rendering.require_grid(about)
        return cls(
            dataset=about,
            archive=flags.data_path,
            save_path=flags.save_path,
            classes=None if flags.classes is None else tuple(flags.classes),
            good_scans=flags.good_scans,
            rendering=rendering,
            num_workers=flags.num_workers,
            shard=flags.shard,
            overwrite=flags.overwrite,
        )


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
        "N, all",
    )
    parser.add_argument("--num_workers", type=positive_integer, default=usable_cores(), help="number of processes")
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


def drawing_device(name: str) -> str | None:
    """The device that PyTorch draws on; None for the CPU, where NumPy does.

    Raises:
        InputError: the device was not found, or does not support rendering.
    """
    if name == CPU:
        return None
    from pointad.compute.device import choose_device  # PyTorch takes seconds to import
    from pointad.rendering.batched_drawing import check_device

    device = choose_device(name)
    check_device(device)
    return None if device.type == CPU else str(device)


def usable_cores() -> int:
    """How many cores this process may use, which is fewer than there are where a scheduler says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(flags: argparse.Namespace) -> int:
    """Render as the flags say."""
    return render_all(RenderSettings.from_flags(flags))


def found_samples(settings: RenderSettings) -> list[RawSample]:
    """The test samples, then the good scans that are wanted beside them.

    Raises:
        InputError: there are none of either.
    """
    dataset, archive, reading = settings.dataset, settings.archive, settings.rendering.reading
    samples = list_raw_samples(dataset, archive, classes=settings.classes, reading=reading)
    if settings.good_scans is None:
        return samples
    good: dict[str, list[RawSample]] = defaultdict(list)
    found = list_good_scans(dataset, archive, settings.classes, reading)
    check_apart(samples, found)
    for sample in found:
        good[sample.class_name].append(sample)
    if not good:
        remedy = "omit --good_scans: test.py --shots then draws good scans from the test split"
        raise InputError(archive, "holds no good scans outside the test split", remedy)
    return samples + [sample for of_class in good.values() for sample in of_class[: settings.good_scans]]


def render_all(settings: RenderSettings) -> int:
    """Render, list, and report the outcome; returns the exit code."""
    found = found_samples(settings)
    samples = settings.shard.of(found)
    refuse_links_into(settings.archive, settings.save_path, samples)
    make_folder(settings.save_path)
    with standing_folder(settings.save_path):
        return _render_into(settings, found, samples)


def _render_into(settings: RenderSettings, found: list[RawSample], samples: list[RawSample]) -> int:
    # Before anything is rendered, so that a run from other data that ends later knows of this one.
    agree_on_settings(settings.save_path, settings.dataset.name, settings.rendering)
    afresh = settings.overwrite and settings.shard == WHOLE and settings.classes is None
    note_source(settings.save_path, settings.archive, afresh=afresh)
    outcomes = export_samples(
        samples,
        settings.save_path,
        settings.rendering,
        workers=settings.num_workers,
        overwrite=settings.overwrite,
    )
    counts: Counter[str] = Counter()
    outdated, kept, not_rendered_here = [], [], []
    resized: dict[str, list[Path]] = {"mask": [], "picture": []}
    with tqdm(total=len(samples), unit="scan", desc=settings.dataset.name, disable=None) as progress:
        for outcome in outcomes:
            counts[outcome.status] += 1
            progress.update()
            if outcome.outdated:
                outdated.append(outcome.sample.scan_path)
            if outcome.status in (SKIPPED, ELSEWHERE):
                not_rendered_here.append(outcome.sample.scan_path)
            for path in outcome.resized:
                resized["mask" if path == outcome.sample.mask_path else "picture"].append(path)
            if outcome.kept:
                kept.append(outcome.sample.scan_path)
            if outcome.status == FAILED:
                progress.write(f"failed: {outcome.message}", file=sys.stderr)
    print(f"{counted(counts[RENDERED], 'scan')} rendered, {counts[SKIPPED]} already finished, {counts[FAILED]} failed")
    for what, paths in resized.items():
        if paths:
            logger.warning("resized to the size of the scan: %s, such as %s", counted(len(paths), what), paths[0])
    others = other_sources(settings.save_path, settings.archive)
    doubtful = [path for path in not_rendered_here if may_be_of_another(path, settings.archive, others)]
    if doubtful:
        message = (
            "%s: was also rendered from %s; %s that this run did not render may be from there, such as %s; "
            "--overwrite replaces them by those of %s"
        )
        logger.warning(
            message,
            settings.save_path,
            ", ".join(others),
            counted(len(doubtful), "scan"),
            doubtful[0],
            settings.archive,
        )
    if outdated:
        remedy = "--overwrite renders such scans again"
        message = "%d finished scans have changed since, or have other pictures or masks, such as %s; %s"
        logger.warning(message, len(outdated), outdated[0], remedy)
    if kept:
        logger.warning(
            "%d failed scans keep their earlier renderings, which are listed, such as %s", len(kept), kept[0]
        )
    if counts[ELSEWHERE]:
        print(f"{counted(counts[ELSEWHERE], 'scan')} left to another run, which will list what it renders too")
    if counts[RENDERED] + counts[SKIPPED]:
        summary = write_metadata(settings.save_path, settings.dataset.name)
        listed = sum(sum(species.values()) for species in summary.samples.values())
        place = shown(settings.save_path / "all_meta.json")
        print(f"{counted(listed, 'sample')} of {counted(len(summary.samples), 'class')} listed in {place}")
        warn_of_left_behind(found, settings)
        if summary.good_scans:
            good = sum(summary.good_scans.values())
            print(
                f"{counted(good, 'good scan')} for comparison listed in {shown(settings.save_path / GOOD_SCANS_NAME)}"
            )
    return EXIT_ERROR if counts[FAILED] else 0


def warn_of_left_behind(samples: list[RawSample], settings: RenderSettings) -> None:
    """Log renderings of samples that were removed, renamed, or moved to another kind of defect: tests count them."""
    listed = read_metadata(settings.save_path)
    kept = left_behind([sample for sample in samples if not sample.for_reference], listed)
    if kept:
        problem = (
            "%d listed samples are not in the raw data set, such as %s; remove their renderings, or tests will count "
            "them"
        )
        logger.warning(problem, len(kept), kept[0].views_folder)
    if settings.classes is None:
        present = {sample.class_name for sample in samples}
        others = sorted({record.class_name for record in listed if record.class_name not in present})
        if others:
            message = "%s: lists classes that are not in %s: %s; tests will count them"
            logger.warning(message, settings.save_path, settings.archive, ", ".join(others))
