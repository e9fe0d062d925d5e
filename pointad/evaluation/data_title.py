"""The title of a data set in tables: only a complete published data set gets the published name.

Of fewer classes, nothing tells whether they are a part of it, or scans of one's own that are called so.
"""

import unicodedata
from collections.abc import Collection
from pathlib import Path

from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS

OWN_DATA = "own data"
"""The title of data whose folders say nothing."""

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
        the published data set's title if all its classes are there, and as many samples as in its test split; else
        the folder's name, followed by how many of those classes there are if there are no others, or marked if it is
        like such a title.
    """
    present = set(classes)
    if not present or not present <= set(dataset.classes):
        return own_title(folder, dataset)
    told = f"{len(present)} of {len(dataset.classes)} class names of {dataset.title}"
    if len(present) == len(dataset.classes):
        if samples is None or dataset.test_samples in (None, samples):
            return dataset.title
        told += f", {samples} samples instead of {dataset.test_samples}"
    return f"{_folder_name(folder)} ({told})"


def own_title(folder: str | Path | None, dataset: DatasetSpecification | None = None) -> str:
    """The title of data that belong to no published data set: the name of their folder or of a parent folder.

    Args:
        folder: of the data.
        dataset: the format of the data, as in `told_apart`.
    """
    return told_apart(_folder_name(folder), dataset)


def told_apart(title: str, dataset: DatasetSpecification | None = None) -> str:
    """The title of data that belong to no published data set, marked if it reads like that of one.

    Otherwise a folder called "MVTec 3D-AD" that holds other scans would stand beside the published figures.

    Args:
        title: what the user calls the data.
        dataset: their format. If its classes are not listed here, they may be of the data set of that name.
    """
    others = (each for each in DATASETS.values() if not each.is_open and (each.classes or each != dataset))
    published = {_letters(each.title) for each in others}
    return f"{title} (own data)" if _letters(title) in published else title


def _folder_name(folder: str | Path | None) -> str:
    path = Path() if folder is None else Path(folder)
    return next((name for name in reversed(path.parts) if name.strip("/.").lower() not in _SAY_NOTHING), OWN_DATA)


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold()))
