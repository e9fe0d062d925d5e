"""A run of scripts/feature_cache.py: damaged and old features go, and what is left is counted."""

import errno
import logging
import time
from pathlib import Path

from tqdm import tqdm

from pointad.compute.device import choose_device
from pointad.encoding.feature_cache import evict, list_entries, read_entry, remove_abandoned_entries, remove_entry
from pointad.errors import InputError, shown
from pointad.files.locks import own_folder
from pointad.files.standing_folders import refuse_replaced

logger = logging.getLogger(__name__)

DAY = 24 * 3600


def look_after(folder: Path, *, check: bool, keep_bytes: int | None) -> None:
    """Remove what is damaged, then what was used least recently, and print what is left.

    Args:
        folder: the feature cache.
        check: read every file and remove the damaged ones.
        keep_bytes: how much may stay; None: all of it.

    Raises:
        InputError: there is no such folder, another run cleans it up, or it was removed or replaced meanwhile.
    """
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder that was given as --feature_cache")
    if check or keep_bytes is not None:
        with own_folder(folder):  # two at once would count and remove the same files
            remove_abandoned_entries(folder)
            if check:
                print(f"removed {remove_damaged(folder)} damaged files")
            if keep_bytes is not None:
                removed = evict(folder, keep_bytes)
                print(f"removed {len(removed)} files, {sum(entry.size for entry in removed) / 1e9:.3f} GB")
            refuse_replaced(folder)  # else another cache would be taken for the one that was checked
    entries = [entry for entry in list_entries(folder) if not entry.unfinished]
    summary = f"{shown(folder)}: {len(entries)} pictures, {sum(entry.size for entry in entries) / 1e9:.3f} GB"
    if entries:
        summary += f", last used {(time.time() - entries[0].last_used) / DAY:.1f} days ago or later"
    print(summary)


def remove_damaged(folder: Path) -> int:
    """Remove every file that does not hold what was written; returns how many."""
    choose_device("cpu")  # which has to read numbers of 16 bits
    damaged = 0
    for entry in tqdm(list_entries(folder), unit="file", disable=None):
        if entry.unfinished:
            continue
        try:
            read_entry(entry.path)
        except FileNotFoundError:
            continue  # evicted meanwhile
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno != errno.ELOOP:  # nobody knows what it holds
                logger.warning("%s: cannot be read (%s) and is kept", entry.path, error.strerror)
            elif remove_entry(entry.path):
                damaged += 1
            else:
                logger.warning("%s: %s; remove it, because nothing can be stored there", entry.path, error)
    return damaged
