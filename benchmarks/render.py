#!/usr/bin/env python
"""Times rendering against the published procedure, re-enacted with Open3D's windows and a loop over the points.

    python benchmarks/render.py                # everything on one core
    python benchmarks/render.py --cores 2      # both ways may use two cores
    python benchmarks/render.py --no-published # ours alone, where Open3D opens no window

Both ways start from the same file of an 800 x 800 scan and end with the same files; they take turns in one process.
Beside the time that passed stands the processor time of all threads, which a busy machine distorts less.
The GPU path is timed too where there is a CUDA device.
"""

import argparse
import contextlib
import math
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cores", type=int, default=1, help="cores that the process may use (default: 1)")
parser.add_argument("--runs", type=int, default=5, help="runs of each variant; the median is reported (default: 5)")
parser.add_argument("--no-published", dest="published", action="store_false", help="leave out the published procedure")

if __name__ == "__main__":
    arguments = parser.parse_args()
    # Numerical libraries count the cores when they are loaded, so the limit comes before the imports.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.cores :])
    os.environ["OMP_NUM_THREADS"] = str(arguments.cores)

import numpy as np
import tifffile
import torch
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.synthetic_scans import plate, ring
from pointad.data.layout import SampleFiles
from pointad.data.rendered_files import write_rendered_sample
from pointad.datasets.registry import specification
from pointad.files.pictures import read_picture
from pointad.rendering import drawing
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.renderer import cloud_normals, render
from pointad.rendering.views import ViewRig
from pointad.scans.grid import cloud_from_scan
from pointad.scans.point_cloud import OrganizedScan, PointCloud

SCANS = {"ring": (ring, "bagel"), "plate": (plate, "rope")}  # generator, and the class whose rig photographs it
DRAWING_STEPS = (
    "rotate", "look_at", "draw_order", "shade", "rotate_directions", "splat", "resize_layer", "_correspond",
    "_ground_truth",
)  # fmt: skip

Times = dict[str, list[tuple[float, float]]]  # seconds that passed, and processor seconds, run by run


def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.cores)
    for name, (generate, class_name) in SCANS.items():
        with tempfile.TemporaryDirectory() as folder:
            compare(name, generate(), specification("mvtec_pc_3d_rgb").rig_for(class_name), Path(folder), options)


def compare(name: str, scan: OrganizedScan, rig: ViewRig, folder: Path, options: argparse.Namespace) -> None:
    """Time both ways in turns and print what they took."""
    scan_path, published_folder = folder / "scan.tiff", folder / "published"
    tifffile.imwrite(scan_path, scan.xyz)
    published_folder.mkdir()
    times: Times = defaultdict(list)
    cloud = cloud_from_scan(scan)
    for run in range(-1, options.runs):  # the first run warms up
        if run == 0:
            times.clear()
        if options.published:
            from benchmarks.published_rendering import render_as_published

            with clocked(times, "published, whole scan"):
                render_as_published(read(scan_path, scan), rig, published_folder)
        for method in ("grid", "exact"):  # the exact one's files stay for the comparison
            with clocked(times, f"ours, whole scan, {method} normals"):
                sample = whole_scan(scan_path, scan, rig, method, folder, times)
        with steps_clocked(times):
            render(cloud, rig, normals=np.full_like(cloud.points, 3**-0.5))

    print(f"\n{name}: {len(cloud.points)} points, {options.cores} core(s), medians of {options.runs} runs\n")
    print_whole_scan(times, options.published)
    print_steps(times)
    if options.published:
        print_agreement(sample, published_folder)
    if torch.cuda.is_available():
        print_cuda(cloud, rig, options.runs)


def read(path: Path, scan: OrganizedScan) -> PointCloud:
    return cloud_from_scan(OrganizedScan(tifffile.imread(path), mask=scan.mask))


def whole_scan(
    path: Path, scan: OrganizedScan, rig: ViewRig, method: str, folder: Path, times: Times
) -> RenderedSample:
    with clocked(times, f"{method}: read"):
        cloud = read(path, scan)
    with clocked(times, f"{method}: normals"):
        normals = cloud_normals(cloud, rig, method)
    with clocked(times, f"{method}: drawing"):
        sample = render(cloud, rig, normals=normals)
    with clocked(times, f"{method}: files"):
        write_rendered_sample(SampleFiles(folder, "class", "species", "000"), sample)
    return sample


@contextlib.contextmanager
def clocked(times: Times, name: str) -> Iterator[None]:
    start = now()
    yield
    times[name].append(since(start))


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    end = now()
    return end[0] - start[0], end[1] - start[1]


def medians(times: Times) -> dict[str, tuple[float, float]]:
    return {
        name: (statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs))
        for name, runs in times.items()
    }


@contextlib.contextmanager
def steps_clocked(times: Times) -> Iterator[None]:
    """Clock the steps of drawing by wrapping the functions that `drawing` calls."""

    def clock(name: str, function: Callable) -> Callable:
        def timed(*values: object, **keywords: object) -> object:
            start = time.process_time()
            result = function(*values, **keywords)
            spent[name] += time.process_time() - start
            return result

        return timed

    originals = {name: getattr(drawing, name) for name in DRAWING_STEPS}
    spent: dict[str, float] = defaultdict(float)
    try:
        for name, function in originals.items():
            setattr(drawing, name, clock(name, function))
        yield
    finally:
        for name, function in originals.items():
            setattr(drawing, name, function)
    for name in DRAWING_STEPS:
        times[f"step: {name}"].append((math.nan, spent[name]))


def print_whole_scan(times: Times, with_published: bool) -> None:
    median = medians(times)
    published = median.get("published, whole scan", (math.nan, math.nan))

    def row(title: str, name: str, total: float, compared: bool) -> list[object]:
        seconds, processor = median[name]
        ratios = (published[0] / seconds, published[1] / processor) if compared else (None, None)
        return [title, seconds, processor, *ratios, 100 * processor / total]

    rows = [row("published, whole scan", "published, whole scan", published[1], False)] if with_published else []
    for method in ("exact", "grid"):
        whole = f"ours, whole scan, {method} normals"
        rows.append(row(whole, whole, median[whole][1], with_published))
        for stage in ("read", "normals", "drawing", "files"):
            compared = with_published and stage == "drawing"
            rows.append(row(f"- {stage}", f"{method}: {stage}", median[whole][1], compared))
    headers = ["", "seconds", "processor seconds", "times faster", "by processor", "% of scan"]
    print(tabulate(rows, headers=headers, floatfmt=("", ".3f", ".3f", ".1f", ".1f", ".0f")))


def print_steps(times: Times) -> None:
    median = medians(times)
    # Splatting and resizing happen within the ground truth too, and count in both rows.
    rows = [[name.lstrip("_"), 1000 * median[f"step: {name}"][1]] for name in DRAWING_STEPS]
    print("\n" + tabulate(rows, headers=["step of drawing", "processor ms, all views"], floatfmt=".1f"))


def print_agreement(sample: RenderedSample, published: Path) -> None:
    errors = []
    identical = 0
    for number, view in enumerate(sample.views):
        reference = read_picture(published / f"view_{number}.png", "grey").astype(np.float64)
        errors.append(np.mean((view - reference) ** 2))
        identical += np.array_equal(sample.views_gt[number], read_picture(published / f"view_{number}_gt.png", "grey"))
        expected = np.load(published / f"view_{number}_cor.npy")
        assert np.array_equal(sample.correspondences[number], expected), "correspondences differ"
    decibels = 10 * np.log10(255**2 / max(errors)) if max(errors) else float("inf")
    print(f"\nworst view {decibels:.1f} dB, ground truth identical in {identical} views, correspondences identical")


def print_cuda(cloud: PointCloud, rig: ViewRig, runs: int) -> None:
    device = torch.device("cuda")
    normals = cloud_normals(cloud, rig, "grid")
    seconds = []
    for _ in range(runs + 2):
        start = time.perf_counter()
        render(cloud, rig, normals=normals, device=device)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[2:])
    print(f"\n{torch.cuda.get_device_name()}: drawing {median:.4f} s, {1 / median:.1f} scans/s")


if __name__ == "__main__":
    main(arguments)
