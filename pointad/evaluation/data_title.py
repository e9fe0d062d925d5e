"""The title of a data set in tables: only a complete published data set gets the published name."""

import unicodedata
from collections.abc import Collection
from pathlib import Path

from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS

_SAY_NOTHING = frozenset({"", "data", "dataset", "rendered", "raw"})


def data_title(
    dataset: DatasetSpecification, classes: Collection[str], folder: str | Path | None, samples: int | None = None
) -> str:
    """The title of the data set in a folder.

    Args:
        dataset: the format of the data.
        classes: the classes found.
        folder: the data's folder; its name is the title of custom data.
        samples: how many there are; None: unknown.

    Returns:
        the published data set's title if the classes are its own, with their number if some are missing, or with the
        number of samples if it is not that of the test split; else the folder's name, marked if it is like such a
        title.
    """
    present = set(classes)
    if present and present <= set(dataset.classes):
        missing = len(dataset.classes) - len(present)
        if missing:
            return f"{dataset.title} ({len(present)} of {len(dataset.classes)} classes)"
        whole = samples is None or dataset.test_samples in (None, samples)
        return dataset.title if whole else f"{dataset.title} ({samples} samples instead of {dataset.test_samples})"
    return own_title(folder)


def own_title(folder: str | Path | None) -> str:
    """The title of data that belong to no published data set: the name of their folder or of a parent folder."""
    path = Path() if folder is None else Path(folder)
    named = next((name for name in reversed(path.parts) if name.strip("/.").lower() not in _SAY_NOTHING), "own data")
    return told_apart(named)


def told_apart(title: str) -> str:
    """The title of data that belong to no published data set, marked if it reads like that of one.

    Otherwise a folder called "MVTec 3D-AD" that holds other scans would stand beside the published figures. Data sets
    whose classes are not listed here cannot be told from others in their format; they are called what the user says.
    """
    published = {_letters(dataset.title) for dataset in DATASETS.values() if dataset.classes}
    return f"{title} (own data)" if _letters(title) in published else title


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold()))
