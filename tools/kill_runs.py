"""Kill programs at random moments, run them again, and compare what they leave with what an undisturbed run leaves.

    python tools/kill_runs.py                                  # every program, 3 moments each, SIGKILL, SIGTERM, SIGINT
    python tools/kill_runs.py --programs train --moments 50 --processes 2

With several processes, all of them work on one folder at once and are killed together. After that the program is run
once more and must end well; its results must be those of the undisturbed run, and nothing unfinished may stop it.
Exit status 1: some result differed, or a program did not end well.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.demo import scans
from pointad.demo.scans import ScanName

ROOT = Path(__file__).resolve().parent.parent
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
DATASET = "mvtec_pc_3d_rgb"


@dataclass(frozen=True)
class Program:
    """A program with its flags, and which of its files count."""

    command: Callable[[Path], list[str]]  # output folder -> what is run
    results: Callable[[Path], dict[str, str]]  # output folder -> digests by name


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    """SHA-256 of the files that match, by their paths."""
    files = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def test_results(folder: Path) -> dict[str, str]:
    """The scores, and the figures without what tells when and where they were made."""
    path = folder / "results.json"
    classes = json.loads(path.read_text())["classes"] if path.is_file() else None
    return {**digests(folder, "scores.csv", "curves.json", "*.npz"), "classes": json.dumps(classes)}


def programs(inputs: Path) -> dict[str, Program]:
    """All programs on small inputs, which are made first."""
    raw, rendered = inputs / "raw", inputs / "rendered"
    for species in ("good", "pit"):
        for index in range(3):
            scans.write_scan(ScanName("gear", "test", species, index + 3 * (species == "pit")), 0, raw)
    render = ["scripts/render_dataset.py", "--dataset", DATASET, "--data_path", str(raw), "--views", "x0", "y15"]
    run_to_the_end([*render, "--save_path", str(rendered)])
    data = ["--data_path", str(rendered), "--views", "2", "--clip_weights", "demo", "--num_workers", "1"]
    cache = ["--feature_cache", str(inputs / "cache")]
    scan = next((raw / "gear").rglob("xyz/*.tiff"))
    train = ["train.py", *data, *cache, "--train_class", "gear", "--epoch", "6", "--resume"]
    test = ["test.py", *data, *cache, "--save_maps", "--prompts", "ensemble"]
    return {
        "render": Program(
            lambda out: [*render, "--save_path", str(out), "--num_workers", "2"],
            lambda out: digests(out, "*.png", "*.npy", "*.pcd", "*.tiff", "*.json"),
        ),
        "train": Program(
            lambda out: [*train, "--save_path", str(out)], lambda out: digests(out, "epoch_*.pth", "losses.csv")
        ),
        "test": Program(lambda out: [*test, "--save_path", str(out)], test_results),
        "predict": Program(
            lambda out: ["scripts/predict.py", str(scan), "--output", str(out)],
            lambda out: digests(out, "scores.npy", "heat.ply", "sheet.png"),
        ),
    }


def start(command: Sequence[str]) -> "subprocess.Popen[str]":
    """A program of this repository, with one thread: the order of sums depends on their number."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )


def run_to_the_end(command: Sequence[str]) -> float:
    """Seconds that a program took; it must end well."""
    begun = time.monotonic()
    process = start(command)
    _, said = process.communicate(timeout=600)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said[-1500:]}")
    return time.monotonic() - begun


def killed(command: Sequence[str], moment: float, number: int, processes: int) -> None:
    """Start a program, several times at once if asked for, and kill it after some seconds."""
    running = [start(command) for _ in range(processes)]
    time.sleep(moment)
    for process in running:
        process.send_signal(number)
    for process in running:
        process.communicate(timeout=120)


def main() -> int:
    """Kill, run again, compare; 1 when something differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", nargs="+", choices=("render", "train", "test", "predict"), help="(default: all)")
    parser.add_argument("--moments", type=int, default=3, help="kills of each program (default: 3)")
    parser.add_argument("--processes", type=int, default=1, help="how many work on one folder at once (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    different = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, program in programs(folder).items():
            if arguments.programs and name not in arguments.programs:
                continue
            undisturbed = folder / name / "undisturbed"
            seconds = run_to_the_end(program.command(undisturbed))
            expected = program.results(undisturbed)
            equal = 0
            for moment in range(arguments.moments):
                output = folder / name / str(moment)
                number = SIGNALS[moment % len(SIGNALS)]
                killed(program.command(output), dice.uniform(0, seconds), number, arguments.processes)
                try:
                    run_to_the_end(program.command(output))
                except RuntimeError as error:
                    print(f"{name}: {error}", file=sys.stderr)
                equal += program.results(output) == expected
            different += arguments.moments - equal
            print(f"{name}: {equal} of {arguments.moments} ended as the undisturbed run of {seconds:.1f} s", flush=True)
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
