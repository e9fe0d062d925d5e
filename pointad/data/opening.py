"""Opens a data set by its folder: rendered ones through their JSON files, raw ones by rendering on the fly."""

from pathlib import Path

from pointad.data.dataset import MultiViewDataset, SampleOptions, load_rendered
from pointad.data.metadata import read_metadata
from pointad.data.specification import DatasetSpecification
from pointad.errors import InputError

STORED, ON_THE_FLY = "stored", "on_the_fly"


def open_dataset(
    dataset: DatasetSpecification,
    root: str | Path,
    options: SampleOptions,
    *,
    class_name: str | None = None,
    render: str = STORED,
) -> MultiViewDataset:
    """Open the samples of a data set, or of one of its classes.

    Args:
        dataset: the data set's format.
        root: its folder.
        options: what the samples must hold.
        class_name: only this class; None opens all.
        render: ``stored`` reads renderings, ``on_the_fly`` renders raw scans when a sample is asked for.

    Raises:
        InputError: the folder or its JSON files are missing or unreadable, or the class is not in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(root, "is not a folder", "give the folder of the data set as --data_path")
    return MultiViewDataset(read_metadata(root, class_name), load_rendered, options)
