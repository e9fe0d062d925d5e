#!/usr/bin/env python
"""Seconds and peak memory of rendering clouds of many points, in the raw format of MiniShift.

    python benchmarks/large_scans.py                           # 500,000 and 5,000,000 points, three scans each
    python benchmarks/large_scans.py --points 1000000 --scans 8

Every number of points gets a process of its own on one core, which reads, samples, renders and writes one scan after
the other. The peak of its memory after the first scan and after the last shows whether memory grows with their number.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--points", type=int, nargs="+", default=[500_000, 5_000_000], help="(default: both sizes above)")
parser.add_argument("--scans", type=int, default=3, help="scans of each size (default: 3)")

if __name__ == "__main__":
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pointad.data.layout import SampleFiles
from pointad.data.raw import RenderingOptions, list_raw_samples, render_prepared
from pointad.data.rendered_files import write_rendered_sample
from pointad.datasets.unorganized import prepare_cloud
from pointad.scans.files import read_scan
from pointad.scans.point_labels import read_labels

STAGES = ("read", "sample", "render", "write")


def write_archive(root: Path, points: int, scans: int) -> None:
    """Anomalous clouds of a closed shape, each with labels."""
    for number in range(scans):
        rng = np.random.default_rng(number)
        directions = rng.normal(size=(points, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        cloud = directions * (10 + 2 * directions[:, :1] + directions[:, 1:2] ** 3) * [3, 2, 1]
        for place, rows, form in (("test", cloud, "%.6f"), ("gt", (cloud[:, :1] > 30).astype(int), "%d")):
            path = root / "capsule" / place / "pit" / "easy" / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savetxt(path, rows, fmt=form)


def measure(root: Path, rendered: Path) -> list[str]:
    """One row of the table: the median seconds of each stage, and the peak of memory after the first and last scan."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    times: dict[str, list[float]] = defaultdict(list)
    peaks = []
    for sample in list_raw_samples("minishift_pc_3d", root):
        assert sample.mask_path is not None
        start = time.process_time()

        def lap(stage: str) -> None:
            nonlocal start
            now = time.process_time()
            times[stage].append(now - start)
            start = now

        points, labels = read_scan(sample.scan_path).points, read_labels(sample.mask_path)
        lap("read")
        prepared = prepare_cloud(sample, points, labels, sample.identifier)
        count = len(points)
        del points, labels
        lap("sample")
        result = render_prepared(sample, prepared, RenderingOptions())
        lap("render")
        write_rendered_sample(SampleFiles(rendered, "capsule", sample.species, sample.identifier), result)
        lap("write")
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
    medians = [statistics.median(times[stage]) for stage in STAGES]
    return [f"{count:,}", *(f"{one:.2f}" for one in (*medians, sum(medians), peaks[0], peaks[-1]))]


def main() -> None:
    """Print the table."""
    rows = []
    for points in arguments.points:
        with tempfile.TemporaryDirectory() as folder:
            write_archive(Path(folder) / "raw", points, arguments.scans)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(measure, (Path(folder) / "raw", Path(folder) / "rendered")))
    headings = ["points", *STAGES, "all", "peak GB, first scan", f"after {arguments.scans} scans"]
    print("Processor seconds a scan, medians, one core; peak memory of the process in GB")
    print(tabulate(rows, headings, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
