"""Show the size of a feature cache, shrink it, or check it.

    python scripts/feature_cache.py results/features                # number of images, size in gigabytes
    python scripts/feature_cache.py results/features --keep 10G     # remove the least recently used beyond 10 GB
    python scripts/feature_cache.py results/features --check        # read everything, remove what is damaged

Runs that are using the cache are not disturbed: they encode missing images again.
"""

import argparse
from pathlib import Path

from pointad.commands.program import HelpFormatter
from pointad.compute.written_numbers import as_written

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("folder", type=Path, help="folder given as --feature_cache")
    parser.add_argument(
        "--keep",
        type=size_in_bytes,
        metavar="SIZE",
        help="remove the least recently used files until at most this much is left, such as 500M, 10G or 0",
    )
    parser.add_argument("--check", action="store_true", help="read every file and remove the damaged ones")
    return parser


def main(flags: argparse.Namespace) -> None:
    """Check, evict, then say what is left, as the flags say."""
    from pointad.commands.cache_upkeep import (
        look_after,  # reading features needs PyTorch, which takes seconds to import
    )

    look_after(flags.folder, check=flags.check, keep_bytes=flags.keep)


def size_in_bytes(text: str) -> int:
    """An ``argparse`` type: a number of bytes, with K, M, G or T for thousands, millions, ..."""
    number = text.upper().removesuffix("B")
    unit = number[-1:] if number[-1:] in UNITS else ""
    try:
        value = float(as_written(number.removesuffix(unit))) * UNITS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500M or 10G") from None
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a size of 0 or more")
    return int(value)
