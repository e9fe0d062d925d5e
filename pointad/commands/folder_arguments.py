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
        help="where the scans are below --data_path, such as 'test/{species}/cloud/{id}.ply'; {id} and {species} must "
        "be in it, {class} and {split} may, * stands for any part of a name; scans of the species good have no defect",
    )
    group.add_argument(
        "--rgb_pattern", metavar="PATTERN", help="where the picture of a scan is; only for scans on a pixel grid"
    )
    group.add_argument(
        "--mask_pattern",
        metavar="PATTERN",
        help="where the mask of a scan is: a picture, or a text with one label a point for clouds",
    )
    group.add_argument(
        "--sample_table",
        type=Path,
        metavar="CSV",
        help="a table in place of patterns, with the columns scan, species and perhaps rgb, mask, class, split and id "
        "(default: samples.csv in --data_path)",
    )


def chosen_dataset(flags: argparse.Namespace) -> DatasetSpecification:
    """The data set that the flags name, with its layout if it is a folder.

    Raises:
        InputError: flags of a folder with another data set, or patterns beside a table.
    """
    given = [name for name in _FLAGS if getattr(flags, name) is not None]
    if flags.dataset != FOLDER.name:
        if given:
            raise InputError(f"--{given[0]}", f"does not go with --dataset {flags.dataset}", "use --dataset folder")
        return specification(flags.dataset)
    if flags.sample_table is not None and len(given) > 1:
        raise InputError("--sample_table", "replaces the patterns", "give one or the other")
    if given and flags.sample_table is None and flags.scan_pattern is None:
        raise InputError(f"--{given[0]}", "needs --scan_pattern", "say where the scans are, too")
    return folder_dataset(FolderLayout(flags.scan_pattern, flags.rgb_pattern, flags.mask_pattern, flags.sample_table))
