"""Times what comparing with good scans adds to a scan, beside the same scan's own stages, in one run.

    OMP_NUM_THREADS=1 python benchmarks/good_scans.py                      # demo backbone
    OMP_NUM_THREADS=1 python benchmarks/good_scans.py --large_encoder      # and the share of a ViT-L/14@336px

Good scans and scan are generated closed shapes. Times are those of all cores together, so that whatever else the
machine does counts little. Threads that wait for one another on a busy machine count as work: one thread for products
of matrices avoids that. With --large_encoder one view goes through a ViT-L/14@336px with random weights, which takes as
long as any other; a scan takes as many times that as it has views.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.predict import closed_shape, make_detector
from pointad.commands.argument_types import positive_integer
from pointad.commands.arguments import add_model_arguments
from pointad.commands.program import HelpFormatter, run
from pointad.data.batch import MultiViewBatch
from pointad.encoding.features import PictureEncoder
from pointad.inspection.preparation import AROUND_RIG
from pointad.model.backbone import load_backbone
from pointad.reference.observation import bank_blocks, joint_blocks
from pointad.reference.patch_bank import ScanPatches, compare_patches, gather_patches, patch_descriptors


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--points", type=positive_integer, default=100_000, help="points of the cloud")
    parser.add_argument("--good", type=positive_integer, default=4, help="number of good scans")
    parser.add_argument("--large_encoder", action="store_true", help="also time a view of a ViT-L/14@336px")
    parser.add_argument("--repetitions", type=positive_integer, default=3, help="runs of which the median is shown")
    add_model_arguments(parser)
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print what a scan takes with and without good scans."""
    time.perf_counter = time.process_time  # the clock that the library's timings are read from
    detector, backbone = make_detector(arguments)
    reference = detector.make_reference(closed_shape(arguments.points, seed) for seed in range(1, arguments.good + 1))
    found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    for _ in range(arguments.repetitions + 1):
        for name, compared in (("without", None), ("with", reference)):
            found[name].append(detector.predict(closed_shape(arguments.points), reference=compared).timings)
    medians = {
        name: {stage: float(np.median([one[stage] for one in runs[1:]])) for stage in runs[0]}
        for name, runs in found.items()
    }
    added = medians["with"]["score"] - medians["without"]["score"]
    whole = sum(medians["without"].values())
    print(f"{backbone.name}, {arguments.points:,} points, {arguments.good} good scans, seconds of all cores together")
    for name, stages in medians.items():
        print(f"{name:8}" + "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items()))
    ratio = medians["with"]["score"] / medians["without"]["score"]
    print(
        f"good scans add {added:.2f} s: scoring takes {ratio:.1f} times as long, the scan {100 * added / whole:.1f} %"
    )
    print(f"the reference takes {reference.nbytes / 1e6:.1f} MB")
    if arguments.large_encoder:
        show_share_of_large_encoder(added, arguments.good)


def show_share_of_large_encoder(added: float, good: int) -> None:
    """Print what good scans add with an encoder of the size that real data need.

    Args:
        added: seconds that they add with the demo backbone, whose patches are few and short.
        good: scans.
    """
    views = len(AROUND_RIG.views)
    backbone = load_backbone(None, "random", torch.device("cpu"))
    encoder = PictureEncoder(backbone, joint_blocks((backbone.depth,), bank_blocks(backbone.depth)))
    side = backbone.image_size
    picture = torch.randint(0, 255, (1, 1, side, side, 3), dtype=torch.uint8)
    started = time.perf_counter()
    features = encoder.encode(_batch_of(picture))
    one_view = time.perf_counter() - started
    blocks = len(bank_blocks(backbone.depth))
    patches = features.views_patches.shape[3]
    descriptors = patch_descriptors(torch.randn(views, blocks, patches, backbone.embedding_dim))
    scan = ScanPatches(descriptors, torch.ones(views, patches, dtype=torch.bool))
    bank = gather_patches([scan] * good, 10**9)
    started = time.perf_counter()
    compare_patches(scan, bank)
    added += time.perf_counter() - started  # all patches, where a scan covers about half
    whole = views * one_view
    print(f"{backbone.name}: a view {one_view:.1f} s, {views} views {whole:.0f} s; comparing their patches brings what")
    print(f"good scans add to {added:.2f} s, {100 * added / whole:.1f} % of the encoder's time")


def _batch_of(views: torch.Tensor) -> MultiViewBatch:
    """A batch that holds nothing but views (1, V, S, S, 3)."""
    nothing = torch.zeros(1, 1)
    return MultiViewBatch(["scan"], ["unknown"], ["0"], nothing[0], views, None, None, nothing, nothing, nothing)


if __name__ == "__main__":
    run(main, build_parser())
