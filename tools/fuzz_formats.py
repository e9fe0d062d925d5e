"""Fuzz the readers of weights, tokenizers, prompts, references, caches, metadata and results, guided by their code.

    python tools/fuzz_formats.py                                      # a minute, shared by all formats
    python tools/fuzz_formats.py --seconds 43200 --seed 7             # an hour each
    python tools/fuzz_formats.py --formats prompts reference

Needs atheris, which is among the development requirements where it is available (Linux on x86-64). Only this library's
own errors may come out, and memory is bounded. A finding ends the run of its format, is kept in --save_path, and makes
the exit code 1; content that reached new code is kept in --save_path/corpus.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["OMP_NUM_THREADS"] = "1"  # formats are fuzzed in forks, in which the threads of their parent are missing

from pointad.commands.argument_types import non_negative_integer, positive_float
from pointad.commands.program import HelpFormatter, run
from pointad.errors import InputError

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "tools" / "corpus"
NAMES = tuple(sorted(folder.name for folder in CORPUS.iterdir()))


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument(
        "--seconds", type=positive_float, default=60.0, help="run time in seconds, shared by all formats"
    )
    parser.add_argument("--seed", type=non_negative_integer, default=0, help="random seed of the mutations")
    parser.add_argument("--formats", nargs="+", choices=NAMES, default=list(NAMES), help="formats to fuzz")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="corpus, with one folder per format")
    parser.add_argument(
        "--save_path", type=Path, default=Path("results") / "fuzzing", help="output folder for findings"
    )
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Fuzz one format after the other."""
    if importlib.util.find_spec("atheris") is None:
        raise InputError("atheris", "is not installed", "install it with: python -m pip install atheris")
    import atheris

    with atheris.instrument_imports(include=["pointad"]):
        from tools.fuzzing.formats import formats
    from tools.fuzzing.guided import fuzz

    known = formats()
    seconds = max(1, round(arguments.seconds / len(arguments.formats)))
    findings = 0
    for name in arguments.formats:
        outcome = fuzz(name, known[name], arguments.corpus / name, arguments.save_path, seconds, arguments.seed + 1)
        first, last = outcome.coverage
        print(f"{name}: {outcome.executions} files in {seconds} s, {first} to {last} edges", flush=True)
        if outcome.problem is not None:
            findings += 1
            print(f"{name}: {outcome.problem}; kept as {outcome.kept}", flush=True)
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    run(main, build_parser())
