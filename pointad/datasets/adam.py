"""Raw 3D-ADAM: organized scans of machine parts with an RGB picture and a mask.

<root>/<category>/{train,validation,test}/<good or defect>/{rgb/NNN[_X].png, xyz/NNN[_X].tiff, ground_truth/NNN[_X].png}

A TIFF file holds points, or a depth map from 0 to 1 copied to three channels, see `depth_to_points`. Masks of good
scans are black. No table is removed: neither the unit nor the background of the scans is known.
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from pointad.datasets.archive import (
    class_folders,
    inner_folder,
    list_training_split,
    picture_beside,
    sample_of_folder,
    scans_in,
    species_folders,
)
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.organized import SCAN_RIG, depth_to_points, prepare_scan
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.sample_axes import read_sample_tiff

NAME = "adam_pc_3d_rgb"
TRUTH = "ground_truth"


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train, validation or test, see `SampleLister`."""
    return [
        _sample(folder.name, species, path)
        for folder in class_folders(root, split, (), classes)
        for species in species_folders(folder / split, "xyz")
        for path in scans_in(species / "xyz", (".tiff", ".tif"))
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan and resample its points to the 336 x 336 grid.

    Raises:
        InputError: a file is missing, broken, or differs in shape from the scan; or the scan has no points.
    """
    return prepare_scan(sample, depth_to_points(read_sample_tiff(sample.scan_path), sample.scan_path))


def _sample(class_name: str, species: Path, path: Path) -> RawSample:
    picture, mask = (_picture(inner_folder(species, name), path.stem) for name in ("rgb", TRUTH))
    return sample_of_folder(NAME, class_name, species, path, picture=picture, mask=mask, masks=species / TRUTH)


def _picture(folder: Path, stem: str) -> Path | None:
    """The picture with the same name, or else with the same number."""
    number = re.sub(r"_[^_]*$", "", stem)
    return picture_beside(folder, stem) or (picture_beside(folder, number) if number != stem else None)


ADAM = DatasetSpecification(
    name=NAME,
    title="3D-ADAM",
    classes=(),  # by name
    training_classes=(),
    has_color=True,
    organized=True,
    reports_aupro=True,
    rig=SCAN_RIG,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=partial(list_training_split, list_samples),
    truth_patterns=("*/{split}/*/ground_truth/*",),
)
