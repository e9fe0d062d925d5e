"""Which files a person means who names files and folders of scans, and which folder the results of each get."""

import filecmp
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from pointad.data.layout import CORRESPONDENCES
from pointad.errors import InputError, counted
from pointad.files.names import file_name, seen_alike
from pointad.files.presence import is_file, is_folder
from pointad.files.search import files_below
from pointad.scans.files import SUFFIXES
from pointad.scans.other_formats import conversion, is_certain

logger = logging.getLogger(__name__)

IS_GOOD = "is one of the good scans; compared with itself, its score is too low"
RESULTS = ("heat.ply", "scores.npy", "prediction.json")  # that lie together where a scan was inspected
POINTS_BESIDE = "points.npy"  # that lie beside the renderings of a scan
NOT_SEARCHED = (".txt", ".csv", ".tsv")  # in folders these mostly hold something else


def find_scans(named: Sequence[Path], output: Path | None = None) -> list[Path]:
    """The files that were named, and those in the folders that were named, but not what these programs wrote.

    Hidden files and folders are skipped. So are anything named like a scan that is not a regular file, files with
    points or surfaces in formats that are not read, and tables that nobody named, all of which is logged. Links to
    folders are followed.

    Args:
        named: files and folders.
        output: the folder of the results, in which nothing is searched for; None if they have none of their own.

    Raises:
        InputError: a folder holds no scan, or one cannot be searched.
    """
    scans: list[Path] = []
    named_themselves = set(map(_absolute, named))
    for path in named:
        if not is_folder(path):
            scans.append(path)
            continue
        files = files_below(path)
        found = beyond = _scans_among(files)
        if output is not None:
            place = _absolute(output)
            beyond = [file for file in found if place not in _absolute(file).parents]
        if found and not beyond:
            raise InputError(path, f"holds scans only in the output folder {output}", "choose another output folder")
        if not found:
            raise _no_scan_in(path, files)
        scans += beyond
        _log_unread(path, files, named_themselves)
    return scans


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (".." is to go)


def _log_unread(folder: Path, files: Sequence[Path], named: Collection[Path]) -> None:
    """Say how many files with points or surfaces are skipped in a folder, as their format is not read or was not named.

    Args:
        folder: that was searched.
        files: all in it.
        named: files and folders, without ".."; what is named is not skipped.
    """
    counts = _counts_of_suffixes(files)
    for suffix in sorted(filter(is_certain, counts)):
        message = "%s: skipped %s, as this format is not read; %s"
        logger.warning(message, folder, counted(counts[suffix], f"{suffix} file"), conversion(suffix))
    unnamed = _counts_of_suffixes(file for file in files if _absolute(file) not in named)
    for suffix in (suffix for suffix in NOT_SEARCHED if unnamed[suffix] > 1):
        message = "%s: skipped %s; if they hold points, name them: %s/*%s"
        logger.info(message, folder, counted(unnamed[suffix], f"{suffix} file"), folder, suffix)


def _no_scan_in(folder: Path, files: Sequence[Path]) -> InputError:
    """The error for a folder without scans, which says what to do with the files that it holds."""
    counts = _counts_of_suffixes(files)
    certain = sorted(filter(is_certain, counts))
    for suffix in (*certain, *NOT_SEARCHED, *sorted(filter(conversion, counts))):
        held = counted(counts[suffix], f"{suffix} file")
        if suffix in NOT_SEARCHED and counts[suffix]:
            problem = f"contains no scan but {held}, which folders are not searched for"
            return InputError(folder, problem, f"if they hold points, name them: {folder}/*{suffix}")
        remedy = conversion(suffix)
        if remedy is not None:
            problem = f"contains no scan but {held}, a format that is not read"
            return InputError(folder, problem, remedy)
    searched = ", ".join(suffix for suffix in SUFFIXES if suffix not in NOT_SEARCHED)
    return InputError(folder, "contains no scan", f"give a folder with files of the types {searched}")


def _counts_of_suffixes(files: Iterable[Path]) -> Counter[str]:
    return Counter(file.suffix.lower() for file in files)


def _scans_among(files: Sequence[Path]) -> list[Path]:
    scans = []
    for file in files:
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES or suffix in NOT_SEARCHED or _is_written(file):
            continue
        if is_file(file):
            scans.append(file)
        else:
            logger.warning("%s: is not a regular file; skipped", file)
    return scans


def _is_written(file: Path) -> bool:
    """Whether a file is a result of an earlier inspection or rendering, which is no scan, whatever its format."""
    if file.name in RESULTS:
        return any(is_file(file.with_name(name)) for name in RESULTS if name != file.name)
    return file.parent.parent.name == CORRESPONDENCES or (
        file.name == POINTS_BESIDE and is_folder(file.with_name(CORRESPONDENCES))
    )


def output_folders(scans: Sequence[Path], root: Path) -> list[Path]:
    """A folder for every scan below `root`, called like its file (see `file_name`); files of one name get a number."""
    taken: set[str] = set()
    numbers: Counter[str] = Counter()  # the last one given to files of a name: thousands may be called 000
    folders = []
    for scan in scans:
        name = called = file_name(scan.stem)
        while seen_alike(name) in taken:
            numbers[called] += 1
            name = f"{called}_{numbers[called] + 1}"
        taken.add(seen_alike(name))
        folders.append(root / name)
    return folders


def twin_of(path: Path, others: Iterable[str | Path]) -> str | Path | None:
    """The first of other files that holds the same bytes, or is the same file; None if there is none."""
    for other in others:
        try:
            if filecmp.cmp(path, other, shallow=False):
                return other
        except (OSError, ValueError):  # missing: whoever reads it says so
            continue
    return None
