"""Finds one's way in the folders of a raw archive."""

from collections.abc import Iterable
from pathlib import Path

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
