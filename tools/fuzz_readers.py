"""Feed damaged files to every reader: only this library's own errors may come out, and memory stays bounded.

    python tools/fuzz_readers.py                              # a minute
    python tools/fuzz_readers.py --seconds 3600 --seed 7
    python tools/fuzz_readers.py --readers pcd tiff

A finding is kept as a file in --save_path, and the exit code is then 1. The same seed makes the same damage.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.argument_types import non_negative_integer, positive_float
from pointad.commands.program import HelpFormatter, run
from pointad.files.atomic import make_folder
from tools.fuzzing.damage import damaged
from tools.fuzzing.readers import READERS, problem_with
from tools.fuzzing.specimens import write_specimens

MEMORY_GROWTH = 2**31  # bytes of address space beyond what the imports take


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--seconds", type=positive_float, default=60.0, help="run time in seconds")
    parser.add_argument("--seed", type=non_negative_integer, default=0, help="random seed of the damage")
    parser.add_argument("--readers", nargs="+", choices=tuple(READERS), default=list(READERS), help="readers to fuzz")
    parser.add_argument(
        "--save_path", type=Path, default=Path("results") / "fuzzing", help="output folder for findings"
    )
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Damage and read until the time is over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        specimens = write_specimens(folder / "whole")
        counts = dict.fromkeys(arguments.readers, 0)
        findings = 0
        end = time.monotonic() + arguments.seconds
        number = arguments.seed * 10**9
        while time.monotonic() < end:
            number += 1
            for reader in arguments.readers:
                path = damaged(specimens[reader], folder / "damaged", number)
                problem = problem_with(reader, path, MEMORY_GROWTH)
                counts[reader] += 1
                if problem is not None:
                    findings += 1
                    make_folder(arguments.save_path)
                    kept = arguments.save_path / f"{reader}_{number}{path.suffix}"
                    kept.write_bytes(path.read_bytes())
                    print(f"{reader}: {problem}; kept as {kept}", flush=True)
    for reader, count in counts.items():
        print(f"{reader}: {count} damaged files read")
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    run(main, build_parser())
