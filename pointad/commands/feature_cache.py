"""Say how big a feature cache is, make it smaller, or check it.

    python scripts/feature_cache.py results/features                # how many pictures, how many gigabytes
    python scripts/feature_cache.py results/features --keep 10G     # remove the least recently used beyond 10 GB
    python scripts/feature_cache.py results/features --check        # read everything, remove what is damaged

Runs that use the cache meanwhile are not disturbed: what they miss, they encode again.
"""

import argparse
import time
from pathlib import Path

from tqdm import tqdm

from pointad.commands.program import HelpFormatter
from pointad.encoding.feature_cache import evict, list_entries, read_entry
from pointad.errors import InputError
from pointad.files.locks import own_folder

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
DAY = 24 * 3600


def build_parser() -> argparse.ArgumentParser:
    """The flags of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("folder", type=Path, help="what was given as --feature_cache")
    parser.add_argument(
        "--keep",
        type=size_in_bytes,
        metavar="SIZE",
        help="remove the least recently used files until the rest takes at most this much: 500M, 10G, 0",
    )
    parser.add_argument("--check", action="store_true", help="read every file and remove the damaged ones")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Check, evict, then say what is left."""
    folder = arguments.folder
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give what was given as --feature_cache")
    if arguments.check or arguments.keep is not None:
        with own_folder(folder):  # two at once would count and remove the same files
            clean_up(folder, arguments)
    entries = [entry for entry in list_entries(folder) if not entry.unfinished]
    summary = f"{folder}: {len(entries)} pictures, {sum(entry.size for entry in entries) / 1e9:.3f} GB"
    if entries:
        summary += f", last used {(time.time() - entries[0].last_used) / DAY:.1f} days ago or later"
    print(summary)


def clean_up(folder: Path, arguments: argparse.Namespace) -> None:
    """Remove what the flags ask for."""
    if arguments.check:
        print(f"removed {remove_damaged(folder)} damaged files")
    if arguments.keep is not None:
        removed = evict(folder, arguments.keep)
        print(f"removed {len(removed)} files, {sum(entry.size for entry in removed) / 1e9:.3f} GB")


def remove_damaged(folder: Path) -> int:
    """Remove every file that does not hold what was written; returns how many."""
    damaged = 0
    for entry in tqdm(list_entries(folder), unit="file", disable=None):
        if entry.unfinished:
            continue
        try:
            read_entry(entry.path)
        except FileNotFoundError:
            continue  # evicted meanwhile
        except (OSError, ValueError):
            entry.path.unlink(missing_ok=True)
            damaged += 1
    return damaged


def size_in_bytes(text: str) -> int:
    """An ``argparse`` type: a number of bytes, with K, M, G or T for thousands, millions, ..."""
    number = text.upper().removesuffix("B")
    unit = number[-1:] if number[-1:] in UNITS else ""
    try:
        value = float(number.removesuffix(unit)) * UNITS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500M or 10G") from None
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a size of 0 or more")
    return int(value)
