"""Times the inspection of one scan, stage by stage, from file to files.

    python benchmarks/predict.py                                             # demo backbone, CPU
    python benchmarks/predict.py --clip_weights random                       # ViT-L/14@336px, random weights
    python benchmarks/predict.py --clip_weights random --device cuda --points 100000

The model is loaded once. Scans are generated: closed shapes as .npy, and a depth scan of 800 x 800 pixels as .tiff.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import tifffile
import torch
from tabulate import tabulate

from pointad.commands.argument_types import positive_integer
from pointad.commands.arguments import add_model_arguments
from pointad.commands.predict_outputs import write_inspection
from pointad.commands.program import HelpFormatter, run
from pointad.commands.verdicts import Verdicts
from pointad.compute.device import choose_device
from pointad.inspection.predictor import PointAD
from pointad.inspection.scan_file import inspect_file
from pointad.model.backbone import ClipBackbone, load_backbone
from pointad.model.prompt_learner import PromptLearner

STAGES = ("read", "prepare", "render", "encode", "score", "regions", "write")
DEPTH_SCAN_SIDE = 800


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--points",
        type=positive_integer,
        nargs="+",
        default=[1_000, 10_000, 100_000, 1_000_000],
        help="sizes of clouds",
    )
    parser.add_argument("--repetitions", type=positive_integer, default=5, help="runs of which the median is shown")
    parser.add_argument(
        "--core_time",
        action="store_true",
        help="count the time of all cores instead of the clock's: what others do on a busy machine then counts less, "
        "and stages with two threads (render, encode) show the sum of both",
    )
    add_model_arguments(parser)
    return parser


def closed_shape(count: int, seed: int = 0) -> np.ndarray:
    """Points (N, 3) float32 of a closed shape; every seed draws others."""
    directions = np.random.default_rng(seed).normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radius = 10 + 2 * directions[:, 0] + directions[:, 1] ** 3
    return (directions * radius[:, None] * [3, 2, 1]).astype(np.float32)


def depth_scan() -> np.ndarray:
    """A bump as a depth camera sees it, (H, W, 3) float32, with holes around it."""
    side = np.linspace(-0.06, 0.06, DEPTH_SCAN_SIDE)
    x, y = np.meshgrid(side, side)
    height = 0.03 * np.sqrt(np.clip(1 - (x / 0.05) ** 2 - (y / 0.045) ** 2, 0, None))
    xyz = np.stack([x, y, 0.5 - height], axis=-1)
    return np.where(height[..., None] > 0, xyz, 0).astype(np.float32)


def make_detector(arguments: argparse.Namespace) -> tuple[PointAD, ClipBackbone]:
    """The model with fresh prompts: learned ones take the same time."""
    backbone = load_backbone(arguments.clip_model, arguments.clip_weights or "demo", choose_device(arguments.device))
    with torch.no_grad():
        text_features = PromptLearner(backbone, depth=min(9, backbone.text.depth))(backbone.text)
    return PointAD(backbone, text_features, arguments.features_list), backbone


def median_milliseconds(detector: PointAD, path: Path, repetitions: int) -> dict[str, float]:
    """Median of each stage over the repetitions, after one run that is not counted."""
    found = []
    for _ in range(repetitions + 1):
        with tempfile.TemporaryDirectory() as folder:
            inspection = inspect_file(detector, path)
            started = time.perf_counter()
            write_inspection(Path(folder), inspection, Verdicts(), html=True, heat_range=None)
            found.append({**inspection.timings, "write": time.perf_counter() - started})
    return {stage: 1000 * float(np.median([one[stage] for one in found[1:]])) for stage in STAGES}


def main(arguments: argparse.Namespace) -> None:
    """Print one row a scan."""
    if arguments.core_time:
        time.perf_counter = time.process_time  # the clock that the library's timings are read from
    detector, backbone = make_detector(arguments)
    device = next(backbone.parameters()).device
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scans = {}
        for count in arguments.points:
            scans[f"cloud, {count:,} points"] = Path(folder) / f"{count}.npy"
            np.save(scans[f"cloud, {count:,} points"], closed_shape(count))
        name = f"depth scan, {DEPTH_SCAN_SIDE} x {DEPTH_SCAN_SIDE}"
        scans[name] = Path(folder) / "scan.tiff"
        tifffile.imwrite(scans[name], depth_scan(), photometric="rgb")
        for name, path in scans.items():
            times = median_milliseconds(detector, path, arguments.repetitions)
            total = sum(times.values())
            rows.append([name, *times.values(), total - times["encode"], total])
    unit = "milliseconds of core time" if arguments.core_time else "milliseconds"
    print(f"{backbone.name} on {device}, {os.cpu_count()} cores, median of {arguments.repetitions}, {unit}")
    print(tabulate(rows, headers=["scan", *STAGES, "all but encode", "total"], floatfmt=".0f"))


if __name__ == "__main__":
    run(main, build_parser())
