"""Raw MiniShift: point clouds of 500,000 points with small defects of three difficulties.

<root>/<class>/{train/good, test/good, test/<defect>/{easy,medium,hard}}/<id>.txt    rows "x y z"
<root>/<class>/gt/<defect>/{easy,medium,hard}/<id>.txt                               0 or 1 per row

A sample's species is <defect>_<difficulty>; results are given for each difficulty too.
"""

import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from pointad.datasets.archive import (
    class_folders,
    files_in,
    inner_file,
    inner_folder,
    is_good,
    is_hidden,
    list_training_split,
    scans_in,
    species_folders,
)
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.matched_labels import read_matched_labels
from pointad.datasets.shapenet import CLOUD_RIG
from pointad.datasets.unorganized import prepare_cloud
from pointad.files.presence import is_folder
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PreparedSample, RawSample

logger = logging.getLogger(__name__)

NAME = "minishift_pc_3d"
DIFFICULTIES = ("easy", "medium", "hard")
_TRUTH = "gt"


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of train or test, see `SampleLister`; the anomalous ones by defect and difficulty."""
    return [
        sample
        for folder in class_folders(root, split, (), classes)
        for species in species_folders(folder / split)
        for sample in (_good_samples if is_good(species.name) else _anomalous_samples)(folder, species)
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read one point cloud and sample 112 896 of its points, with their labels.

    Raises:
        InputError: a file is missing or broken, or the numbers of labels and points differ.
    """
    scan = read_scan(sample.scan_path)
    labels = None if sample.mask_path is None else read_matched_labels(sample.mask_path, scan, sample.scan_path)
    return prepare_cloud(sample, scan.points, labels, sample.name)


def _good_samples(folder: Path, species: Path) -> list[RawSample]:
    return [
        RawSample(NAME, folder.name, GOOD, path.stem, label=0, scan_path=path) for path in scans_in(species, (".txt",))
    ]


def _anomalous_samples(folder: Path, species: Path) -> list[RawSample]:
    _tell_other_folders(species)
    suffixes = (".txt",)
    scans = {f"{species.name}_{level}": scans_in(inner_folder(species, level), suffixes) for level in DIFFICULTIES}
    scans[species.name] = files_in(species, suffixes)  # without a difficulty
    return [
        RawSample(
            dataset_name=NAME,
            class_name=folder.name,
            species=name,
            identifier=path.stem,
            label=1,
            scan_path=path,
            mask_path=_truth_path(folder, path.relative_to(species.parent)),
        )
        for name, found in scans.items()
        for path in found
    ]


def _truth_path(folder: Path, scan: Path) -> Path:
    place = inner_folder(folder, _TRUTH)
    for name in scan.parts[:-1]:
        place = inner_folder(place, name)
    return inner_file(place, scan.name)


def _tell_other_folders(species: Path) -> None:
    read = [inner_folder(species, level) for level in DIFFICULTIES]
    for path in sorted(species.iterdir()):
        if path not in read and not is_hidden(path) and is_folder(path):
            logger.warning("%s: is not the folder of a difficulty (%s) and is left out", path, ", ".join(DIFFICULTIES))


MINISHIFT = DatasetSpecification(
    name=NAME,
    title="MiniShift",
    classes=(),  # by name
    training_classes=(),
    has_color=False,
    organized=False,
    reports_aupro=True,
    further_metrics=("pixel_ap",),
    groups=DIFFICULTIES,
    rig=CLOUD_RIG,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=partial(list_training_split, list_samples),
    truth_patterns=("*/[gG][tT]/*/*", "*/[gG][tT]/*/*/*"),
)
