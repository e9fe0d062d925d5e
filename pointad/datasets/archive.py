"""Finds one's way in the folders of a raw archive."""

from collections.abc import Iterable
from pathlib import Path

from pointad.datasets.base import GOOD
from pointad.errors import InputError


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
    present = sorted(path.name for path in folder.iterdir() if (path / inner).is_dir())
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
                raise InputError(f"class {name}", f"is not in {folder}", f"choose among {', '.join(ordered)}")
        ordered = [name for name in ordered if name in wanted]
    return [folder / name for name in ordered]


def species_folders(split: Path, inner: str = "") -> list[Path]:
    """The folders of the species in a class's split, the good one first, then by name.

    Args:
        split: the folder that they are in.
        inner: a folder that every species has; whatever lacks it is none.
    """
    found = sorted(path for path in split.iterdir() if path.is_dir() and (path / inner).is_dir())
    return sorted(found, key=lambda path: not is_good(path.name))


def is_good(species: str) -> bool:
    """Whether an archive's folder of this name holds samples without a defect."""
    return species.lower() == GOOD


def picture_beside(folder: Path, stem: str) -> Path | None:
    """The picture of a sample in a folder of pictures; None where there is none."""
    path = folder / f"{stem}.png"
    return path if path.exists() else None
