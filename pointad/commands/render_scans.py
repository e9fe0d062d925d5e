"""Render your own scans, in any common format: nine views per scan and the point-to-pixel correspondences.

    python scripts/render_scans.py part.stl scans/ --save_path pictures
    python scripts/render_scans.py part.ply --save_path pictures --views x-45 x0 x45 y-30 y30 --point_pixels 5

Files: organized scans .tiff .npy .npz (H x W x 3); clouds .pcd .ply .xyz .pts .txt .csv .tsv .asc .obj .npy .npz;
meshes .ply .obj .stl, whose surface is sampled. Any unit: scans are centred and scaled before rendering. Folders are
searched for all of these except .txt, .csv and .tsv. Organized scans are viewed from the front, others from all around
with their longest side along x, unless --rig or --views say otherwise.

Writes the folders 2d_rendering, 2d_gt and 2d_3d_cor to --save_path/<file name>/test/unlabelled, in the layout of a data
set without ground truth. points.npy next to them holds the points that the rows of the correspondences belong to, in
the file's own unit. If a scan could not be rendered, the exit code is 2, and renderings of an earlier scan of that name
are gone.
"""

import argparse
import contextlib
import dataclasses
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pointad.commands.named_inputs import named_files, refuse_overwriting
from pointad.commands.program import EXIT_ERROR, HelpFormatter
from pointad.commands.reading_arguments import add_table_arguments, kept_clusters
from pointad.commands.rig_arguments import add_named_rig_argument, add_rig_arguments, rig_and_views
from pointad.commands.scan_search import POINTS_BESIDE, find_scans, output_folders
from pointad.commands.shortages import failure_of
from pointad.commands.told_readings import Readings
from pointad.data.layout import SampleFiles
from pointad.data.rendered_files import remove_views, write_rendered_sample
from pointad.data.view_subset import ViewChoice, chosen_directions
from pointad.errors import InputError, counted, named_subjects, shown
from pointad.files.atomic import atomic_path, remove_file, require_folder_place
from pointad.files.locks import wait_for_lock
from pointad.files.names import file_name
from pointad.files.presence import is_folder
from pointad.files.regular import refuse_leaving, refuse_special
from pointad.files.search import files_written_below
from pointad.inspection.preparation import prepare
from pointad.rendering.options import VISIBILITIES
from pointad.rendering.renderer import render
from pointad.rendering.views import ViewRig
from pointad.scans.files import read_scan
from pointad.scans.reading_options import ClusterRule

SPECIES = "unlabelled"


@dataclass(frozen=True)
class RenderScansSettings:
    """One run of scripts/render_scans.py."""

    scans: tuple[Path, ...]  # files and folders
    named_files: tuple[Path, ...]  # all that any flag names to be read: no result may replace one
    save_path: Path
    rig: str
    views: ViewChoice
    point_size: int | None  # pixels; None: from the spacing of the points
    visibility: str
    remove_table: bool
    metres_per_unit: float
    keep_clusters: ClusterRule

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> "RenderScansSettings":
        """The settings that parsed flags ask for."""
        rig, views = rig_and_views(flags.rig, flags.views)
        return cls(
            scans=tuple(flags.scans),
            named_files=tuple(named_files(flags)),
            save_path=flags.save_path,
            rig=rig,
            views=views,
            point_size=None if flags.point_pixels in (None, "auto") else flags.point_pixels,
            visibility=flags.visibility,
            remove_table=flags.remove_table,
            metres_per_unit=flags.metres_per_unit,
            keep_clusters=kept_clusters(flags),
        )


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help="files, or folders to search")
    parser.add_argument("--save_path", required=True, type=Path, help="output folder, with one subfolder per scan")
    add_named_rig_argument(parser)
    add_rig_arguments(
        parser,
        view_help="other directions: rotations about x or y in degrees, such as x-45 x0 y30, or the number of the "
        "rig's views to use (default: all views of the rig)",
        point_help="size of a point in pixels; auto: from the spacing of the points (default: auto)",
    )
    parser.add_argument(
        "--visibility",
        choices=VISIBILITIES,
        default="nearest",
        help="points visible in a view: the nearest one at each pixel, or all on the surface drawn there",
    )
    add_table_arguments(parser)
    return parser


def main(flags: argparse.Namespace) -> int:
    """Render as the flags say."""
    return render_all(RenderScansSettings.from_flags(flags))


def render_all(settings: RenderScansSettings) -> int:
    """Render every scan; one that cannot be rendered does not stop the others. Returns the exit code.

    Raises:
        InputError: there is no scan, or the points of one would replace another.
    """
    require_folder_place(settings.save_path)
    scans = find_scans(settings.scans, settings.save_path)
    pairs = list(zip(scans, output_folders(scans, settings.save_path), strict=True))
    for path, folder in pairs:
        refuse_leaving(settings.save_path, files_of(path, folder).folder / POINTS_BESIDE)
    replaced = (path for scan, folder in pairs for path in _replaced(files_of(scan, folder)))
    refuse_overwriting([*scans, *settings.named_files], replaced)
    failed = 0
    readings = Readings()
    for path, folder in tqdm(pairs, unit="scan", disable=None):
        try:
            render_file(path, folder, settings, readings)
        except Exception as error:
            tqdm.write(f"failed: {shown(failure_of(path, error))}", file=sys.stderr)
            failed += 1
    readings.tell()
    readings.warn_of_differences()
    print(f"{counted(len(scans) - failed, 'scan')} rendered into {shown(settings.save_path)}, {failed} failed")
    return EXIT_ERROR if failed else 0


def render_file(path: Path, folder: Path, settings: RenderScansSettings, readings: Readings) -> None:
    """Read, prepare, render and write one scan; if that fails, no renderings of another scan of this name stay.

    Raises:
        PointADError: the scan cannot be read or rendered, or a file cannot be written.
    """
    files = files_of(path, folder)
    with wait_for_lock(files.lock) if is_folder(files.folder) else contextlib.nullcontext():
        remove_earlier(files)
    file = read_scan(path)
    readings.add(path, file.manner)
    with named_subjects({"scan": path}):
        scan = prepare(
            file.points,
            file.colors,
            None,
            settings.rig,
            remove_table=settings.remove_table,
            metres_per_unit=settings.metres_per_unit,
            keep_clusters=settings.keep_clusters,
            name=str(path),
        )
    rendered = render(
        scan.point_cloud, changed_rig(scan.rig, settings, organized=scan.organized), visibility=settings.visibility
    )
    with wait_for_lock(files.lock):  # else two runs mix their scans of one name
        remove_earlier(files)
        with atomic_path(files.folder / POINTS_BESIDE) as temporary:
            np.save(temporary, file.points.reshape(-1, 3)[scan.source])
        write_rendered_sample(files, rendered)


def files_of(path: Path, folder: Path) -> SampleFiles:
    """Where the renderings of a scan lie in its output folder."""
    return SampleFiles(folder.parent, folder.name, SPECIES, file_name(path.stem))


def _replaced(files: SampleFiles) -> Iterator[Path]:
    yield files.folder / POINTS_BESIDE
    for folder in (files.views, files.views_gt, files.correspondences):
        yield from files_written_below(folder)


def remove_earlier(files: SampleFiles) -> None:
    """Remove what an earlier run rendered for a scan of this name, the views, which mark it as finished, first.

    Raises:
        InputError: something cannot be removed, or is no file.
    """
    refuse_special(files.folder / POINTS_BESIDE)
    remove_views(files)
    try:
        for folder in (files.views_gt, files.correspondences):
            if folder.exists():
                shutil.rmtree(folder)
        remove_file(files.folder / POINTS_BESIDE)
    except OSError as error:
        problem = f"cannot be removed ({error.strerror or error})"
        raise InputError(error.filename or files.folder, problem, "choose a writable folder") from error


def changed_rig(rig: ViewRig, settings: RenderScansSettings, *, organized: bool) -> ViewRig:
    """The rig with the views and the point size that the settings ask for."""
    rig = dataclasses.replace(rig, views=chosen_directions(settings.views, rig, organized=organized) or rig.views)
    if settings.point_size is not None:
        rig = dataclasses.replace(rig, point_size=settings.point_size)
    return rig
