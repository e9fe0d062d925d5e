"""Finds classes, species, scans and pictures in the folders of a raw archive, however people name them."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from pointad.datasets.base import GOOD
from pointad.datasets.class_names import unknown_class
from pointad.errors import InputError

GOOD_NAMES = (GOOD, "ok", "normal", "defect_free", "defect-free", "no_defect")
"""Names that people give to the folder of good samples, in lower case."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def class_folders(root: str | Path, inner: str, known: Iterable[str], classes: Iterable[str] | None) -> list[Path]:
    """The folders of the classes, in the data set's order, then others by name.

    Args:
        root: the archive's folder.
        inner: a folder that every class has; whatever lacks it is no class.
        known: the data set's classes, in its order.
        classes: take these only; None takes all that are there.

    Raises:
        InputError: the root is no folder, or a class that was asked for (or any class at all) is not there.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder of the unpacked archive")
    present = sorted(path.name for path in folder.iterdir() if not is_hidden(path) and (path / inner).is_dir())
    if not present:
        raise InputError(
            folder, f"holds no class folder (<class>/{inner})", "give the folder that the classes' folders are in"
        )
    ordered = [name for name in known if name in present]
    ordered += [name for name in present if name not in ordered]
    if classes is not None:
        wanted = list(classes)
        for name in wanted:
            if name not in present:
                raise unknown_class(name, ordered, folder)
        ordered = [name for name in ordered if name in wanted]
    return [folder / name for name in ordered]


def species_folders(split: Path, inner: str = "") -> list[Path]:
    """The folders of the species in a class's split, the good one first, then by name.

    Args:
        split: the folder that they are in.
        inner: a folder that every species has; whatever lacks it is none.
    """
    found = sorted(path for path in split.iterdir() if not is_hidden(path) and (path / inner).is_dir())
    return sorted(found, key=lambda path: not is_good(path.name))


def is_good(species: str) -> bool:
    """Whether an archive's folder of this name holds samples without a defect: one of `GOOD_NAMES` in any case."""
    return species.lower() in GOOD_NAMES


def is_hidden(path: Path) -> bool:
    """Whether a file or folder is no data: hidden, such as macOS's `._000.png`, or its archive folder `__MACOSX`."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def words_of(stem: str) -> set[str]:
    """The words of a file's name in lower case, without the numbers at their ends: 3_bulge_cut2 is 3, bulge, cut."""
    return {word.rstrip("0123456789") or word for word in re.split(r"[^0-9a-z]+", stem.lower()) if word}


def files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files of a folder, which may be missing, by suffix (in lower case), without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and not is_hidden(path))


def picture_beside(folder: Path, stem: str) -> Path | None:
    """The picture of a sample in a folder of pictures, whatever its ending; None where there is none.

    Raises:
        InputError: there are several.
    """
    candidates = ((folder / f"{stem}{suffix}", folder / f"{stem}{suffix.upper()}") for suffix in PICTURE_SUFFIXES)
    found = [lower if lower.exists() else upper for lower, upper in candidates if lower.exists() or upper.exists()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InputError(folder, f"holds several pictures of one sample: {names}", "keep one of them")
    return found[0] if found else None
