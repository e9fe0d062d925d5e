"""Lists the samples of a rendered data set in the files that `pointad.data.metadata` reads."""

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointad.data.layout import GOOD_SPLIT, SPLIT, VIEWS, SampleFiles, is_finished
from pointad.data.listed_paths import WRITE_AGAIN
from pointad.data.mask_pairing import tell_of_repeated
from pointad.data.metadata import GOOD_SCANS_NAME, SampleRecord, metadata_path
from pointad.data.rendering_settings import require_dataset
from pointad.datasets.archive import folders_with, is_good
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import specification
from pointad.errors import InputError, counted
from pointad.files.existing import is_beside
from pointad.files.json_files import write_json
from pointad.files.locks import wait_for_lock

logger = logging.getLogger(__name__)

_LOCK_NAME = ".listing.lock"


@dataclass(frozen=True)
class MetadataSummary:
    """The result of listing the samples."""

    samples: dict[str, dict[str, int]]  # finished samples per class and species
    unfinished: tuple[Path, ...]  # folders of samples skipped because files are missing
    good_scans: dict[str, int] = field(default_factory=dict)  # finished ones outside the test split, per class


def write_metadata(root: str | Path, dataset_name: str) -> MetadataSummary:
    """List the finished samples below `root` in `all_meta.json` and one `<class>_meta.json` per class.

    Good scans outside the test split, if there are any, are listed in `good_scans.json`.

    Classes are in the data set's own order, followed by any others by name. Paths are relative to `root`.

    Args:
        root: the rendered data set's folder.
        dataset_name: which data set it is, see `pointad.datasets.registry`.

    Raises:
        InputError: the data set is unknown or not the rendered one, no sample is found, or a file cannot be written.
    """
    dataset = specification(dataset_name)
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder that scripts/render_dataset.py wrote")
    require_dataset(folder, dataset)
    # The last run to list has finished its own samples by then, and sees those of all others.
    with wait_for_lock(folder / _LOCK_NAME):
        return _list_samples(folder, dataset)


def tell_unlisted(
    root: Path, dataset: DatasetSpecification, records: Sequence[SampleRecord], class_name: str | None = None
) -> None:
    """Log how many finished samples no list names, as after a rendering that was interrupted: they do not count.

    Args:
        root: the rendered data set's folder.
        dataset: its format.
        records: the listed samples.
        class_name: look at this class only; None looks at all.

    Raises:
        InputError: nobody can tell which samples there are because a disk fails.
    """
    listed = {record.views_folder for record in records}
    whole_root = Path(os.path.normpath(Path.cwd() / root))  # as those of records
    unlisted = [
        files.views
        for name in _class_names(root, dataset, SPLIT)
        if class_name in (None, name)
        for files in _samples(whole_root, name, SPLIT)
        if files.views not in listed and is_finished(files, _view_count(files))
    ]
    if unlisted:
        message = "%s: does not list %s in the same folder, such as %s: they do not count; %s"
        counts = counted(len(unlisted), "finished sample")
        logger.warning(message, metadata_path(root, class_name), counts, unlisted[0], WRITE_AGAIN)


def _list_samples(folder: Path, dataset: DatasetSpecification) -> MetadataSummary:
    unfinished: list[Path] = []
    entries = _entries(folder, dataset, SPLIT, unfinished)
    good = _entries(folder, dataset, GOOD_SPLIT, unfinished)
    if not entries:
        raise InputError(
            folder,
            f"holds no rendered sample (<class>/{SPLIT}/<species>/{VIEWS}/<id>)",
            "render the data set first with scripts/render_dataset.py",
        )
    if good or (folder / GOOD_SCANS_NAME).exists():
        write_json(folder / GOOD_SCANS_NAME, {GOOD_SPLIT: good}, indent=4)
    for path in unfinished:
        logger.warning("%s: skipped because files of this sample are missing; render it again", path)
    every = [entry for found in entries.values() for entry in found]
    tell_of_repeated((entry["cls_name"], folder / entry["d2_render_img_path"]) for entry in every)
    _tell_missing_masks(folder, every)
    write_json(metadata_path(folder), {"train": {}, "test": entries}, indent=4)
    for class_name, found in entries.items():
        if metadata_path(folder, class_name) != metadata_path(folder):  # as for a class called "all"
            write_json(metadata_path(folder, class_name), {"train": {}, "test": {class_name: found}}, indent=4)
    return MetadataSummary(
        samples=_count(entries),
        unfinished=tuple(unfinished),
        good_scans={class_name: len(found) for class_name, found in good.items()},
    )


def _entries(
    root: Path, dataset: DatasetSpecification, split: str, unfinished: list[Path]
) -> dict[str, list[dict[str, Any]]]:
    """The finished samples of a split by class; the others are added to `unfinished`."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for class_name in _class_names(root, dataset, split):
        found = []
        for files in _samples(root, class_name, split):
            if is_finished(files, _view_count(files)):
                found.append(_entry(files, dataset))
            else:
                unfinished.append(files.views)
        if found:
            entries[class_name] = found
    return entries


def _class_names(root: Path, dataset: DatasetSpecification, split: str) -> list[str]:
    present = [path.name for path in folders_with(root, split)]
    known = [name for name in dataset.classes if name in present]
    return known + [name for name in present if name not in known]


def _samples(root: Path, class_name: str, split: str) -> list[SampleFiles]:
    what = "rendered kind of defect" if split == SPLIT else None
    found = folders_with(root / class_name / split, VIEWS, what)
    species_folders = [folder for folder in found if split == SPLIT or is_good(folder.name)]
    return [
        SampleFiles(root, class_name, folder.name, sample.name, split)
        for folder in sorted(species_folders, key=lambda folder: not is_good(folder.name))
        for sample in folders_with(folder / VIEWS)
    ]


def _tell_missing_masks(root: Path, entries: list[dict[str, Any]]) -> None:
    masks = [root / entry["d2_mask_path"] for entry in entries if entry["anomaly"]]
    missing = [mask for mask in masks if not mask.is_file()]
    if missing:
        message = "%s: the masks of %s are missing, such as %s; tests and trainings refuse these samples"
        logger.warning(message, root, counted(len(missing), "anomalous sample"), missing[0])


def _view_count(files: SampleFiles) -> int:
    return max(1, sum(1 for _ in files.views.glob("view_*.png")))


def _entry(files: SampleFiles, dataset: DatasetSpecification) -> dict[str, Any]:
    """One sample under the published keys, `d2_corrdinate` (sic) included."""
    organized = is_beside(files.xyz) if dataset.is_open else dataset.organized
    has_color = dataset.has_color or dataset.is_open
    paths: dict[str, Path | None] = {
        "d2_img_path": files.rgb if has_color and is_beside(files.rgb) else None,
        "d2_mask_path": files.mask if organized else files.labelled_point_cloud,
        "d3_pc": files.xyz if organized else files.point_cloud,
    }
    if dataset.lists_point_cloud:
        paths["d3_pcd_path"] = files.point_cloud
    folders = {
        "d2_render_img_path": files.views,
        "d2_render_gt_path": files.views_gt,
        "d2_corrdinate": files.correspondences,
    }
    return {
        **{key: _relative(path, files.root) for key, path in paths.items() if path is not None},
        "cls_name": files.class_name,
        "specie_name": files.species,
        "anomaly": int(not is_good(files.species)),
        **{key: _relative(path, files.root) for key, path in folders.items()},
    }


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _count(entries: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, int]]:
    return {name: dict(Counter(entry["specie_name"] for entry in found)) for name, found in entries.items()}
