"""Where the files of `--dataset folder` are: flags that several programs share."""

import argparse
from pathlib import Path

from pointad.datasets.base import DatasetSpecification
from pointad.datasets.folder import FOLDER, FolderLayout, folder_dataset
from pointad.datasets.registry import specification
from pointad.errors import InputError

_FLAGS = ("scan_pattern", "rgb_pattern", "mask_pattern", "sample_table")


def add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    """Patterns of file names, or a table."""
    group = parser.add_argument_group("raw scans of your own (--dataset folder)")
    group.add_argument(
        "--scan_pattern",
        metavar="PATTERN",
        help="pattern of the scans below --data_path, such as 'test/{species}/cloud/{id}.ply'; {id} and {species} are "
        "required, {class} and {split} optional, * matches any part of a name; the species good is free of defects",
    )
    group.add_argument("--rgb_pattern", metavar="PATTERN", help="pattern of the RGB images; organized scans only")
    group.add_argument(
        "--mask_pattern",
        metavar="PATTERN",
        help="pattern of the masks: images, or for clouds text files with one label per point",
    )
    group.add_argument(
        "--sample_table",
        type=Path,
        metavar="CSV",
        help="a table instead of patterns, with the columns scan, species and optionally rgb, mask, class, split and "
        "id (default: samples.csv in --data_path)",
    )


def chosen_dataset(flags: argparse.Namespace) -> DatasetSpecification:
    """The data set that the flags name, with its layout if it is a folder.

    Raises:
        InputError: flags of a folder with another data set, or patterns together with a table.
    """
    given = [name for name in _FLAGS if getattr(flags, name) is not None]
    if flags.dataset != FOLDER.name:
        if given:
            raise InputError(f"--{given[0]}", f"cannot be used with --dataset {flags.dataset}", "use --dataset folder")
        return specification(flags.dataset)
    if flags.sample_table is not None and len(given) > 1:
        raise InputError("--sample_table", "replaces the patterns", "give one or the other")
    if given and flags.sample_table is None and flags.scan_pattern is None:
        raise InputError(f"--{given[0]}", "needs --scan_pattern", "add it")
    return folder_dataset(FolderLayout(flags.scan_pattern, flags.rgb_pattern, flags.mask_pattern, flags.sample_table))
