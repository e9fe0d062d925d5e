"""Finds classes, species, scans and pictures in the folders of a raw archive, under any usual names."""

import functools
import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from pointad.datasets.base import GOOD, SampleLister
from pointad.datasets.class_names import unknown_class
from pointad.errors import InputError, counted
from pointad.files.existing import is_folder_beside, lies_beside
from pointad.files.presence import is_file, is_folder
from pointad.scans.point_cloud import RawSample

logger = logging.getLogger(__name__)

GOOD_NAMES = (GOOD, "ok", "normal", "defect_free", "defect-free", "no_defect")
"""Usual names of the folder of good samples, in lower case."""

TRAINING_SPLIT = "train"
"""Usual name of the split that holds good samples only."""

_LOST_AND_FOUND = "lost+found"  # of a file system, readable for its administrator only

_SETTLED = 2_000_000_000  # nanoseconds after which a folder that changes once more has another date

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def class_folders(root: str | Path, inner: str, known: Iterable[str], classes: Iterable[str] | None) -> list[Path]:
    """The class folders, in the data set's order, then others by name.

    Args:
        root: the archive's folder.
        inner: a folder that every class has; anything without it is not a class, which is logged of folders.
        known: the data set's classes, in its order.
        classes: only these classes; None lists all that exist.

    Raises:
        InputError: the root is not a folder, or a requested class (or any class at all) does not exist.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder of the unpacked archive")
    present = [path.name for path in folders_with(folder, inner, "class" if classes is None else None)]
    if not present:
        raise InputError(
            folder, f"holds no class folder (<class>/{inner})", "give the folder that contains the class folders"
        )
    return _ordered(folder, inner, known, present, classes)


def _ordered(
    folder: Path, inner: str, known: Iterable[str], present: Sequence[str], classes: Iterable[str] | None
) -> list[Path]:
    there = set(present)  # as the classes that are wanted, they may be very many
    ordered = list(dict.fromkeys([*(name for name in known if name in there), *present]))
    if classes is not None:
        wanted = dict.fromkeys(classes)
        for name in wanted:
            if name not in there:
                raise unknown_class(name, ordered, folder)
        ordered = [name for name in ordered if name in wanted]
    for name in ordered:
        _tell_empty(folder / name / inner)
    return [folder / name for name in ordered]


def class_folders_if_any(
    root: str | Path, inner: str, known: Iterable[str], classes: Iterable[str] | None
) -> list[Path]:
    """The same, but without those that lack the inner folder: empty if all of them do."""
    folder = Path(root)
    present = [path.name for path in folders_with(folder, inner)]
    wanted = set(present if classes is None else classes).intersection(present)
    return _ordered(folder, inner, known, present, wanted)


def list_training_split(
    list_samples: SampleLister, root: Path, classes: Iterable[str] | None = None
) -> list[RawSample]:
    """The samples of the folder `train`, of the classes that have one.

    Args:
        list_samples: of the data set.
        root: the archive's folder.
        classes: only these classes; None lists all.

    Raises:
        InputError: as by `list_samples`.
    """
    present = [folder.name for folder in class_folders_if_any(root, TRAINING_SPLIT, (), classes)]
    return list_samples(root, TRAINING_SPLIT, present) if present else []


def species_folders(split: Path, inner: str = "") -> list[Path]:
    """The species folders in a class's split, the good one first, then by name.

    Args:
        split: the folder that contains them.
        inner: a folder that every species has; anything without it is not a species, which is logged of folders.
    """
    found = folders_with(split, inner, "kind of defect")
    for path in found:
        _tell_empty(path / inner)
    return sorted(found, key=lambda path: not is_good(path.name))


def folders_with(folder: Path, inner: str = "", what: str | None = None) -> list[Path]:
    """The folders in another one that hold a folder of this name, in the order of their names, without hidden ones.

    Logged is what is left out as nobody can tell, such as links that lead nowhere, or is neither a folder nor a file.

    Args:
        folder: where to look.
        inner: what they hold; empty: anything.
        what: what they are; folders that are none are logged as well. None: they are not.

    Raises:
        InputError: nobody can tell because a disk fails.
    """
    found = []
    for path in sorted(path for path in folder.iterdir() if not is_hidden(path)):
        if is_folder(path / inner):
            found.append(path)
            continue
        if is_file(path) or path.name == _LOST_AND_FOUND:
            continue
        try:
            if not is_folder_beside(path / inner) and what is not None:
                message = "%s: holds no folder %s, so it is not a %s of this data set and is left out"
                logger.warning(message, path, inner, what)
        except InputError as error:
            logger.warning("%s; %s is left out", error, path.name)
    return found


def inner_folder(folder: Path, name: str) -> Path:
    """The folder of this name in another one, in another case if only that is there.

    Raises:
        InputError: something else has this name, such as a link that leads nowhere.
    """
    return _in_any_case(folder, name, is_folder_beside)


def inner_file(folder: Path, name: str) -> Path:
    """The same for a file; of what is none, its reader says so."""
    return _in_any_case(folder, name, lies_beside)


def is_good(species: str) -> bool:
    """Whether a folder of this name holds samples without a defect: one of `GOOD_NAMES`, ignoring case."""
    return species.lower() in GOOD_NAMES


def is_hidden(path: Path) -> bool:
    """Whether a file or folder is not data: hidden, such as `._000.png` of macOS, or its archive folder `__MACOSX`."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def sample_of_folder(
    dataset: str, class_name: str, species: Path, scan: Path, *, picture: Path | None, mask: Path | None, masks: Path
) -> RawSample:
    """The sample of a scan in the folder of its species.

    Args:
        dataset: its name.
        class_name: of the scan.
        species: the folder, whose name tells whether the scan is good.
        scan: its file.
        picture, mask: files of it, where there are any.
        masks: the folder of the masks; reading a defective sample without one reports that it is missing there.
    """
    good = is_good(species.name)
    return RawSample(
        dataset_name=dataset,
        class_name=class_name,
        species=GOOD if good else species.name,
        identifier=scan.stem,
        label=int(not good),
        scan_path=scan,
        rgb_path=picture,
        mask_path=masks / f"{scan.stem}.png" if mask is None and not good else mask,
    )


def words_of(stem: str) -> set[str]:
    """The words of a file's name in lower case, without trailing numbers: 3_bulge_cut2 gives 3, bulge, cut."""
    return {word.rstrip("0123456789") or word for word in re.split(r"[^0-9a-z]+", stem.lower()) if word}


def files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files in a folder, which may be missing, with these suffixes (in lower case), without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and not is_hidden(path))


def scans_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The same, of a folder that should hold scans only; whatever else is there, or one folder deeper, is logged."""
    found = files_in(folder, suffixes)
    others = _files_beside(found, folder) if found else []
    if others:
        message = "%s: %s of other kinds than %s, such as %s, left out"
        kinds = ", ".join(f"*{suffix}" for suffix in suffixes)
        logger.warning(message, folder, counted(len(others), "file"), kinds, others[0].name)
    for path in sorted(path for path in folder.iterdir() if _holds(path, suffixes)) if found else ():
        logger.warning("%s: its scans lie one folder deeper than those beside it, and are left out", path)
    if not found and folder.is_dir() and not all(is_hidden(path) for path in folder.iterdir()):
        tell_without_scans(folder, (f"*{suffix}" for suffix in suffixes))
    return found


def _files_beside(scans: Sequence[Path], folder: Path) -> list[Path]:
    """The other files in a folder of scans, without hidden ones."""
    known = set(scans)
    return sorted(path for path in folder.iterdir() if path not in known and not is_hidden(path) and is_file(path))


def _holds(folder: Path, suffixes: Collection[str]) -> bool:
    """Whether a folder that is not hidden, and may be read, has files with these suffixes."""
    try:
        return not is_hidden(folder) and bool(files_in(folder, suffixes))
    except PermissionError:
        return False


def tell_without_scans(folder: Path, names: Iterable[str]) -> None:
    """Log that a folder holds no file of one of these names, so that nothing of it is listed."""
    logger.warning("%s: holds no scan (%s), so no samples of it are listed", folder, ", ".join(names))


def picture_beside(folder: Path, stem: str) -> Path | None:
    """The picture of a sample in a folder of pictures, with any extension; None if there is none.

    Raises:
        InputError: there are several.
    """
    found: list[Path] = []
    for path in (folder / f"{stem}{ending}" for suffix in PICTURE_SUFFIXES for ending in (suffix, suffix.upper())):
        if lies_beside(path) and not any(
            _is_same(path, one) for one in found
        ):  # as both cases are on some file systems
            found.append(path)
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InputError(folder, f"holds several pictures of one sample: {names}", "keep one of them")
    return found[0] if found else None


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # a link that leads nowhere
        return False


def _in_any_case(folder: Path, name: str, is_there: Callable[[Path], bool]) -> Path:
    exact = folder / name
    if is_there(exact) or not folder.is_dir():
        return exact
    changed = folder.stat().st_mtime_ns
    list_names = _names_in if time.time_ns() - changed > _SETTLED else _names_in.__wrapped__
    alike = list_names(str(folder), changed).get(name.lower(), ())
    return next((path for path in map(folder.joinpath, alike) if is_there(path)), exact)


@functools.lru_cache(maxsize=8)  # each of thousands of samples may lack the same file
def _names_in(folder: str, changed: int) -> dict[str, list[str]]:
    """The names in a folder, sorted, by what they are in lower case; `changed` tells it from what it was before."""
    found: dict[str, list[str]] = {}
    with os.scandir(folder) as entries:  # much faster than paths
        for name in sorted(entry.name for entry in entries):
            found.setdefault(name.lower(), []).append(name)
    return found


def _tell_empty(folder: Path) -> None:
    if all(is_hidden(path) for path in folder.iterdir()):
        logger.warning("%s: is empty, so no samples of it are listed", folder)
