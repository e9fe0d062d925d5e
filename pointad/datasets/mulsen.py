"""Raw MulSen-AD, laser scans only: triangle meshes whose vertices are the points.

<root>/<class>/Pointcloud/{train/<id>.stl, test/<good or defect>/<id>.stl}
<root>/<class>/Pointcloud/GT/<defect>/<id>.txt    rows "x,y,z" of the anomalous points
<root>/<class>/RGB/GT/<defect>/data.csv           object, label_rgb, label_infrared, label_pc

A defect that the laser scanner cannot see has label_pc 0: for point clouds, such a sample is good. The RGB pictures
come from another camera and correspond to no points, so they are not read.
"""

import csv
import logging
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy

from pointad.compute.searches import without_crowds
from pointad.datasets.archive import (
    TRAINING_SPLIT,
    class_folders,
    class_folders_if_any,
    files_in,
    inner_file,
    inner_folder,
    is_good,
    scans_in,
    species_folders,
)
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.labelled_points import EXTENT_TOLERANCE
from pointad.datasets.shapenet import CLOUD_RIG
from pointad.datasets.unorganized import prepare_cloud
from pointad.errors import InputError
from pointad.files.csv_tables import opened_table
from pointad.files.existing import is_beside
from pointad.scans.files import tell_not_finite
from pointad.scans.point_cloud import PreparedSample, RawSample
from pointad.scans.point_labels import check_share
from pointad.scans.stl import read_stl
from pointad.scans.text import read_rows

logger = logging.getLogger(__name__)

NAME = "mulsen_pc_3d"
CLASSES = (
    *("capsule", "cotton", "cube", "spring_pad", "screw", "screen", "piggy", "nut"),
    *("flat_pad", "plastic_cylinder", "zipper", "button_cell", "toothbrush", "solar_panel", "light"),
)
SCANS = "Pointcloud"
LABEL_COLUMN = "label_pc"
OBJECT_COLUMN = "object"
_MOST_DIGITS = 20
_REMEDY = "replace the file with the archive's own"


def list_samples(root: Path, split: str, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The samples of test, see `SampleLister`; those with defects that the points do not show count as good."""
    samples = []
    for folder in class_folders(root, f"{SCANS}/{split}", CLASSES, classes):
        found = []
        for species in species_folders(folder / SCANS / split):
            scans = sorted((path for path in scans_in(species, (".stl",))), key=_number)
            shown = [False] * len(scans) if is_good(species.name) else _shown_in_points(folder, species.name, scans)
            found += [_sample(folder, species, *pair) for pair in zip(scans, shown, strict=True)]
        samples += sorted(found, key=lambda sample: sample.label)
    return samples


def list_good(root: Path, classes: Iterable[str] | None = None) -> list[RawSample]:
    """The scans in the folder `train`, all of which are good, see `GoodLister`."""
    return [
        RawSample(NAME, folder.name, GOOD, path.stem, label=0, scan_path=path)
        for folder in class_folders_if_any(root, f"{SCANS}/{TRAINING_SPLIT}", CLASSES, classes)
        for path in sorted(files_in(folder / SCANS / TRAINING_SPLIT, (".stl",)), key=_number)
    ]


def prepare(sample: RawSample) -> PreparedSample:
    """Read the vertices of one mesh, label those nearest to the anomalous points, and resample to 112 896 points.

    Raises:
        InputError: a file is missing or broken.
    """
    vertices = distinct_vertices(sample.scan_path)
    labels = None
    if sample.mask_path is not None:
        labels = marked_vertices(vertices, sample.mask_path, sample.scan_path)
    return prepare_cloud(sample, vertices, labels, sample.name)


def distinct_vertices(path: Path) -> np.ndarray:
    """The vertices (V, 3) float64 of a mesh, without duplicates, in the order of the file.

    Raises:
        InputError: the file is missing, broken or holds no triangles.
    """
    vertices = read_stl(path).vertices
    _, first = np.unique(vertices, axis=0, return_index=True)
    return vertices[np.sort(first)]


def marked_vertices(vertices: np.ndarray, path: Path, scan_path: Path) -> np.ndarray:
    """Flags (V,) of the vertices (V, 3) that are nearest to a row "x,y,z" of the ground truth.

    Of rows "x,y,z,label" with labels 0 and 1, those of 1 count, which is logged; other columns are ignored.

    Raises:
        InputError: the file is missing or broken, lies elsewhere than the scan, or marks all of it.
    """
    rows = read_rows(path)
    tell_not_finite(rows[:, :3], path)
    rows = rows[np.isfinite(rows[:, :3]).all(axis=1)]
    listed = None
    if rows.shape[1] == 4 and 0 in rows[:, 3] and np.isin(rows[:, 3], (0, 1)).all():
        logger.warning("%s: the last column is read as labels; only rows of 1 are anomalous", path)
        listed, rows = rows[:, :3], rows[rows[:, 3] == 1]
    rows = rows[:, :3]
    labels = np.zeros(len(vertices), bool)
    if not len(rows):
        return labels
    usable = np.flatnonzero(np.isfinite(vertices).all(axis=1))
    if not len(usable):
        raise InputError(scan_path, "holds no usable point", _REMEDY)
    distance, nearest = scipy.spatial.cKDTree(vertices[usable]).query(rows)
    tolerance = EXTENT_TOLERANCE * float(np.ptp(vertices[usable], axis=0).max())
    away = int((distance > tolerance).sum())
    if away == len(rows):
        problem = f"has no point near the vertices of {scan_path.name}"
        raise InputError(path, problem, "give the ground truth of this scan, in its unit and axes")
    if away:
        message = "%s: %d of %d anomalous points are farther than 1 %% of the scan's size from all vertices of %s"
        logger.warning(message, path, away, len(rows), scan_path.name)
    if listed is not None:
        crowds = without_crowds(listed, 1)
        known = listed if crowds is None else listed[crowds[0]]
        unlisted = int((scipy.spatial.cKDTree(known).query(vertices[usable])[0] > tolerance).sum())
        if unlisted:
            message = "%s: labels no point near %d of the %d vertices of %s, which count as normal"
            logger.warning(message, path, unlisted, len(usable), scan_path.name)
    labels[usable[nearest]] = True
    check_share(labels, path)
    return labels


def _sample(folder: Path, species: Path, path: Path, anomalous: bool) -> RawSample:
    seen_by_others_only = not anomalous and not is_good(species.name)
    return RawSample(
        dataset_name=NAME,
        class_name=folder.name,
        species=species.name if anomalous else GOOD,
        identifier=f"{species.name}_{path.stem}" if seen_by_others_only else path.stem,
        label=int(anomalous),
        scan_path=path,
        mask_path=_truth_path(folder, species.name, path.stem) if anomalous else None,
    )


def _truth_path(folder: Path, species: str, stem: str) -> Path:
    return inner_file(inner_folder(inner_folder(folder / SCANS, "GT"), species), f"{stem}.txt")


def _shown_in_points(folder: Path, species: str, scans: list[Path]) -> list[bool]:
    """Whether the defect of each scan is visible in its points; assumed for all scans if the archive does not say.

    The first column of a row, or the one called object, names its scan. If no name matches and there are as many rows
    as scans, they are matched by the numbers at the end of the names, or else in order, which is logged.
    """
    path = inner_file(inner_folder(inner_folder(inner_folder(folder, "RGB"), "GT"), species), "data.csv")
    if not is_beside(path):
        logger.warning("%s does not exist; every scan of %s/%s counts as anomalous", path, folder.name, species)
        return [True] * len(scans)
    rows = _label_rows(path)
    labels = _by_name(rows, path)
    missing = [scan.name for scan in scans if _key(scan.stem) not in labels]
    if not missing:
        return [labels[_key(scan.stem)] for scan in scans]
    if len(missing) == len(scans) == len(rows):
        numbered = {_last_number(name): label for name, label in rows}
        if numbered.keys() == {_last_number(scan.stem) for scan in scans} and len(numbered) == len(scans):
            message = "%s names no scan of %s/%s; its rows are matched to the scans by the numbers in the names"
            logger.warning(message, path, folder.name, species)
            return [numbered[_last_number(scan.stem)] for scan in scans]
        logger.warning(
            "%s names no scan of %s/%s; its rows are matched to the scans in order", path, folder.name, species
        )
        return [label for _, label in rows]
    raise InputError(path, f"has no row for {missing[0]}", _REMEDY)


def _label_rows(path: Path) -> list[tuple[str, bool]]:
    """The name of each row's object, and whether its defect is visible in the points."""
    try:
        with opened_table(path) as (names, rows):
            columns = [name.lower() for name in names]
            count = columns.count(LABEL_COLUMN)
            if count != 1:
                raise InputError(path, f"has {f'{count} columns' if count else 'no column'} {LABEL_COLUMN}", _REMEDY)
            place = columns.index(LABEL_COLUMN)
            named = columns.index(OBJECT_COLUMN) if OBJECT_COLUMN in columns else 0
            return [(_key(row[named]), _label(row[place])) for row in rows if row]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise InputError(path, f"is not a table of labels ({error})", _REMEDY) from error


def _by_name(rows: Iterable[tuple[str, bool]], path: Path) -> dict[str, bool]:
    labels: dict[str, bool] = {}
    for name, label in rows:
        if labels.setdefault(name, label) != label:
            raise InputError(path, f"has rows of {name} with different labels", _REMEDY)
    return labels


def _label(cell: str) -> bool:
    if float(cell) not in (0, 1):
        raise ValueError(f"{LABEL_COLUMN} is {cell!r:.80}, expected 0 or 1")
    return float(cell) == 1


def _last_number(name: str) -> int | None:
    digits = re.findall(r"[0-9]+", name)[-1:]
    return int(digits[0]) if digits and len(digits[0]) < _MOST_DIGITS else None


def _key(name: str) -> str:
    """What a scan and its row have in common: the stem without leading zeros."""
    stem = Path(name.strip()).stem
    return str(int(stem)) if stem.isdecimal() else stem


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"\d+", path.stem)
    return (int(digits[0]) if digits else -1, path.name)


MULSEN = DatasetSpecification(
    name=NAME,
    title="MulSen-AD",
    classes=CLASSES,
    training_classes=("capsule", "cotton", "cube"),  # this project's choice
    has_color=False,
    organized=False,
    reports_aupro=True,
    further_metrics=("pixel_ap",),
    rig=CLOUD_RIG,
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=list_good,
    truth_patterns=("*/Pointcloud/[gG][tT]/*/*",),
)
