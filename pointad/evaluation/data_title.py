"""What a data set is called in tables: only the whole of a published one bears its name."""

from collections.abc import Collection
from pathlib import Path

from pointad.datasets.base import DatasetSpecification

_SAY_NOTHING = frozenset({"", "data", "dataset", "rendered", "raw"})


def data_title(dataset: DatasetSpecification, classes: Collection[str], folder: str | Path | None) -> str:
    """The name of a data set that lies in a folder.

    Args:
        dataset: whose format the data have.
        classes: those that are there.
        folder: the data's folder, whose name own data bear.

    Returns:
        the published data set's title if the classes are its own, with their number where some are missing; else the
        folder's name.
    """
    present = set(classes)
    if not dataset.classes and not dataset.is_open:  # a published one whose classes are not listed here
        count = f" ({len(present)} class{'' if len(present) == 1 else 'es'})" if present else ""
        return dataset.title + count
    if present and present <= set(dataset.classes):
        missing = len(dataset.classes) - len(present)
        return dataset.title + (f" ({len(present)} of {len(dataset.classes)} classes)" if missing else "")
    return own_title(folder)


def own_title(folder: str | Path | None) -> str:
    """The name of data that belong to no published data set: that of their folder, or of one around it."""
    path = Path() if folder is None else Path(folder)
    return next((name for name in reversed(path.parts) if name.strip("/.").lower() not in _SAY_NOTHING), "own data")
