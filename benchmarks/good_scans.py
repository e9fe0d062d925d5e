"""Times what comparing with good scans adds to a scan, beside the same scan's own stages, in one run.

    python benchmarks/good_scans.py                                # demo backbone
    python benchmarks/good_scans.py --clip_weights random          # ViT-L/14@336px, random weights

Good scans and scan are generated closed shapes. Times are those of all cores together, so that whatever else the
machine does counts little; on idle cores the clock shows about as much over their number.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.predict import closed_shape, make_detector
from pointad.commands.arguments import add_model_arguments
from pointad.commands.program import HelpFormatter, positive_integer, run


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--points", type=positive_integer, default=100_000, help="of a cloud")
    parser.add_argument("--good", type=positive_integer, default=4, help="good scans")
    parser.add_argument("--repetitions", type=positive_integer, default=3, help="runs of which the median is shown")
    add_model_arguments(parser)
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print what a scan takes with and without good scans."""
    time.perf_counter = time.process_time  # the clock that the library's timings are read from
    detector, backbone = make_detector(arguments)
    reference = detector.make_reference([closed_shape(arguments.points)] * arguments.good)
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
    print(f"good scans add {added:.2f} s, {100 * added / whole:.1f} % of the scan")
    print(f"the reference takes {reference.nbytes / 1e6:.1f} MB")


if __name__ == "__main__":
    run(main, build_parser())
