"""Times the metrics of one class of maps against the published AU-PRO procedure, re-enacted from its description.

    python benchmarks/metrics.py                             # 120 maps of 336 x 336
    python benchmarks/metrics.py --maps 1000 --ours_only     # beyond the exact limit: binned, in bounded memory

One core is enough: OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/metrics.py
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.integrate import trapezoid
from skimage.measure import label, regionprops
from sklearn.metrics import average_precision_score, roc_auc_score
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pointad.metrics import ALL_METRICS, PixelScores, aupro, class_metrics, pixel_metrics

IMAGE_SIZE = 336


def make_maps(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth random maps (count, 336, 336) float32, and masks with one to three ellipses in three of four maps."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
    maps = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    masks = np.zeros(maps.shape, bool)
    for index in range(count):
        if index % 4:
            for _ in range(random.integers(1, 4)):
                center, radius = random.integers(30, IMAGE_SIZE - 30, 2), random.integers(4, 25, 2)
                distance = ((rows - center[0]) / radius[0]) ** 2 + ((columns - center[1]) / radius[1]) ** 2
                masks[index] |= distance < 1
        noise = random.random((IMAGE_SIZE, IMAGE_SIZE), np.float32)
        maps[index] = ndimage.gaussian_filter(noise + 0.2 * masks[index], 4)
    return maps, masks


def published_procedure(masks: np.ndarray, maps: np.ndarray) -> float:
    """AU-PRO as published: 200 thresholds, and for each of them every region of every mask looked up anew."""
    rates, overlaps = [], []
    low, high = float(maps.min()), float(maps.max())
    for threshold in np.arange(low, high, (high - low) / 200):
        reported = maps > threshold
        shares = [
            reported[index][region.coords[:, 0], region.coords[:, 1]].sum() / region.area
            for index in range(len(masks))
            for region in regionprops(label(masks[index].astype(np.uint8)))
        ]
        overlaps.append(np.mean(shares))
        normal = ~masks
        rates.append(np.logical_and(normal, reported).sum() / normal.sum())
    below = np.array(rates) < 0.3
    rescaled = np.array(rates)[below]
    rescaled = (rescaled - rescaled.min()) / (rescaled.max() - rescaled.min())
    return float(abs(trapezoid(np.array(overlaps)[below], rescaled)))


def timed(function: Callable[[], object], repeats: int) -> tuple[float, object]:
    """The shortest of several runs in seconds of one core (not of the clock), and what the function returned."""
    best, value = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        value = function()
        best = min(best, time.process_time() - start)
    return best, value


def peak_memory(function: Callable[[], object]) -> float:
    """The most memory that the function held at once, in MB, beside its arguments."""
    tracemalloc.start()
    function()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Print one line per way of computing the metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=120, help="number of maps of 336 x 336")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random maps")
    parser.add_argument(
        "--ours_only", action="store_true", help="leave out scikit-learn and the reimplementation of the published code"
    )
    arguments = parser.parse_args()

    maps, masks = make_maps(arguments.maps, arguments.seed)
    labels, scores = np.asarray(masks.any((1, 2))), maps.max((1, 2))
    ways: list[tuple[str, Callable[[], object], int]] = [
        ("exact AUPRO", lambda: aupro(masks, maps), 3),
        ("published AUPRO, from the same sort", lambda: aupro(masks, maps, method="published"), 3),
        ("the four published metrics", lambda: class_metrics(labels, scores, masks, maps)["pixel_aupro"], 3),
        ("all ten metrics", lambda: class_metrics(labels, scores, masks, maps, ALL_METRICS)["pixel_aupro"], 3),
        ("pixel AUROC + AP, ours", lambda: list(_ours(maps, masks)), 3),
    ]
    if not arguments.ours_only:
        ways.append(("pixel AUROC + AP, scikit-learn", lambda: list(_scikit_learn(maps, masks)), 1))
        ways.append(("published AUPRO, re-enacted", lambda: published_procedure(masks, maps), 1))
    rows = []
    for title, function, repeats in ways:
        seconds, value = timed(function, repeats)
        memory = "–" if "re-enacted" in title else f"{peak_memory(function):.0f}"
        rows.append([title, f"{seconds:.2f}", memory, np.array2string(np.asarray(value), precision=5)])
    print(tabulate(rows, headers=["way", "core seconds", "peak MB", "value"], tablefmt="pipe", disable_numparse=True))


def _ours(maps: np.ndarray, masks: np.ndarray) -> list[float | None]:
    return list(pixel_metrics(PixelScores.of(maps, masks), ["pixel_auroc", "pixel_ap"]).values())


def _scikit_learn(maps: np.ndarray, masks: np.ndarray) -> list[float]:
    return [metric(masks.ravel(), maps.ravel()) for metric in (roc_auc_score, average_precision_score)]


if __name__ == "__main__":
    main()
