"""Custom scans in a folder, found by patterns or listed in a CSV file: `--dataset folder`.

A pattern is a path relative to the folder, such as `test/{species}/cloud/{id}.ply`. {id} and {species} are required,
{class} and {split} are optional; a `*` matches any part of a name. The patterns of pictures and masks are filled in
with the values matched by the scan's pattern. A CSV file has the columns scan and species, and optionally rgb, mask,
class, split and id; its paths are relative to it. The species "good" is the one without defects. Splits are compared
without case.

Scans may have any format of `read_scan`. A mask is an image if scans lie on a pixel grid, else a text with one label
per point, alone or behind its coordinates. Nothing is removed from the scans.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pointad.datasets.archive import TRAINING_SPLIT, is_good
from pointad.datasets.base import GOOD, DatasetSpecification
from pointad.datasets.matched_labels import read_matched_labels
from pointad.datasets.organized import SCAN_RIG, prepare_scan
from pointad.datasets.path_patterns import files_of_scans, scans_in_places
from pointad.datasets.sample_table import read_sample_table
from pointad.datasets.shapenet import CLOUD_RIG
from pointad.datasets.unorganized import prepare_cloud
from pointad.errors import InputError
from pointad.files.existing import lies_beside
from pointad.scans.files import read_scan
from pointad.scans.point_cloud import PreparedSample, RawSample

NAME = "folder"
TABLE_NAME = "samples.csv"
ALL_SPLITS = ""


@dataclass(frozen=True)
class FolderLayout:
    """Where the samples' files are: patterns, or a table."""

    scans: str | None = None
    pictures: str | None = None
    masks: str | None = None
    table: Path | None = None  # a CSV file; with neither patterns nor table: `samples.csv` in the folder


def folder_dataset(layout: FolderLayout) -> DatasetSpecification:
    """The data set whose samples are located by the layout; its folder is searched once."""
    listing = FolderListing(layout)
    return dataclasses.replace(
        FOLDER,
        list_samples=partial(list_samples, listing=listing),
        list_good=partial(list_good, listing=listing),
        truth_patterns=_truth_patterns(layout),
    )


class FolderListing:
    """The samples of all splits that lie where a layout says; each folder is searched the first time only."""

    def __init__(self, layout: FolderLayout) -> None:
        self._layout = layout
        self._found: dict[Path, list[tuple[RawSample, str]]] = {}

    def of(self, root: Path) -> list[tuple[RawSample, str]]:
        """The samples, each with the name of its split; the list must not be changed.

        Raises:
            InputError: as by `list_samples`.
        """
        if root not in self._found:
            self._found[root] = _all(root, self._layout)
        return self._found[root]


def list_samples(
    root: Path, split: str, classes: Iterable[str] | None = None, *, listing: FolderListing | None = None
) -> list[RawSample]:
    """The samples of a split, by class, good ones first.

    Args:
        root: the folder; its name is the class of samples for which none is given.
        split: if the pattern or table names splits, samples of others are skipped.
        classes: only these classes; None lists all.
        listing: of the layout that says where the files are; None: as listed in `samples.csv`.

    Raises:
        InputError: a pattern or the table is unusable, nothing is found, a class is missing, or two scans have the
            same name.
    """
    found = (listing or FolderListing(FolderLayout())).of(root)
    samples = [sample for sample, of_split in found if of_split in (split, ALL_SPLITS)]
    if not samples:
        others = ", ".join(sorted({of_split for _, of_split in found}))
        raise InputError(root, f"holds no scan of the split {split}", f"its scans are of {others}: name one {split}")
    present = {sample.class_name for sample in samples}
    wanted = present if classes is None else set(classes)
    for name in sorted(wanted - present):
        raise InputError(f"class {name}", f"is not in {root}", f"choose among {', '.join(sorted(present)) or 'none'}")
    samples = [sample for sample in samples if sample.class_name in wanted]
    _check(root, samples)
    return sorted(samples, key=lambda one: (one.class_name, one.label, one.species, one.identifier))


def list_good(
    root: Path, classes: Iterable[str] | None = None, *, listing: FolderListing | None = None
) -> list[RawSample]:
    """The scans whose split is `train`, by class; which of them are good may depend on more than their species.

    Args:
        root, classes, listing: as for `list_samples`.

    Raises:
        InputError: as there.
    """
    wanted = None if classes is None else set(classes)
    found = [
        sample
        for sample, of_split in (listing or FolderListing(FolderLayout())).of(root)
        if of_split == TRAINING_SPLIT and (wanted is None or sample.class_name in wanted)
    ]
    return sorted(found, key=lambda one: (one.class_name, one.identifier))


def prepare(sample: RawSample) -> PreparedSample:
    """Read one scan, resampled to the 336 x 336 grid if it has a grid, else to 112 896 points.

    Raises:
        InputError: a file is missing or broken, or the picture or mask does not match the points.
    """
    scan = read_scan(sample.scan_path)
    if scan.is_organized:
        return prepare_scan(sample, np.where(scan.present[..., None], scan.points, 0))
    if sample.rgb_path is not None:
        problem = "belongs to a scan without a pixel grid, so its pixels correspond to no points"
        raise InputError(sample.rgb_path, problem, "give no pictures for unorganized point clouds")
    labels = None
    if sample.mask_path is not None:
        if scan.is_mesh:
            problem = "labels the vertices of a mesh, whose surface is resampled"
            raise InputError(sample.mask_path, problem, "store the points as a point cloud")
        labels = read_matched_labels(sample.mask_path, scan, sample.scan_path)
    return prepare_cloud(sample, scan.points, labels, sample.name)


def _truth_patterns(layout: FolderLayout) -> tuple[str, ...]:
    """Where all masks of a split lie; nothing if their pattern does not tell the splits apart."""
    if layout.scans is None or layout.masks is None or ("{split}" in layout.scans and "{split}" not in layout.masks):
        return ()
    pattern = layout.masks.strip().removeprefix("./")
    for name in ("class", "species", "id"):
        pattern = pattern.replace(f"{{{name}}}", "*")
    return (re.sub(r"\*+", "*", pattern),)


def _all(root: Path, layout: FolderLayout) -> list[tuple[RawSample, str]]:
    """The samples of every split, each with the name of its split."""
    if not root.is_dir():
        raise InputError(root, "is not a folder", "give the folder with the scans")
    return _found_by_pattern(root, layout) if layout.scans is not None else _listed(root, layout)


def _found_by_pattern(root: Path, layout: FolderLayout) -> list[tuple[RawSample, str]]:
    assert layout.scans is not None
    scans = scans_in_places(root, layout.scans)
    values = list(scans.values())
    files = (files_of_scans(root, pattern, values) for pattern in (layout.pictures, layout.masks))
    return [
        (_sample(path, rgb, mask, of_scan, root), (of_scan.get("split") or ALL_SPLITS).lower())
        for (path, of_scan), rgb, mask in zip(scans.items(), *files, strict=True)
    ]


def _listed(root: Path, layout: FolderLayout) -> list[tuple[RawSample, str]]:
    table = layout.table or root / TABLE_NAME
    found = []
    for row in read_sample_table(table):
        rgb, mask = (table.parent / row[name] if row.get(name) else None for name in ("rgb", "mask"))
        found.append((_sample(table.parent / row["scan"], rgb, mask, row, root), row.get("split") or ALL_SPLITS))
    return found


def _sample(scan: Path, rgb: Path | None, mask: Path | None, values: Mapping[str, str], root: Path) -> RawSample:
    good = is_good(values["species"])
    return RawSample(
        dataset_name=NAME,
        class_name=values.get("class") or root.resolve().name,
        species=GOOD if good else values["species"],
        identifier=values.get("id") or scan.stem,
        label=int(not good),
        scan_path=scan,
        rgb_path=rgb,
        mask_path=None if good and (mask is None or not lies_beside(mask)) else mask,
    )


def _check(root: Path, samples: list[RawSample]) -> None:
    counts = Counter((one.class_name, one.species, one.identifier) for one in samples)
    for (class_name, species, identifier), count in counts.items():
        if count > 1:
            problem = f"has {count} scans called {class_name}/{species}/{identifier}"
            raise InputError(root, problem, "distinguish them by {class}, {id} or the column id")


FOLDER = DatasetSpecification(
    name=NAME,
    title="own data",
    classes=(),
    training_classes=(),
    has_color=False,
    organized=False,
    reports_aupro=True,
    rig=dataclasses.replace(CLOUD_RIG, point_size=None),
    default_split="test",
    list_samples=list_samples,
    prepare=prepare,
    list_good=list_good,
    further_metrics=("pixel_ap",),
    organized_rig=SCAN_RIG,
    is_open=True,
)
