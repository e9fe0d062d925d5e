"""The JSON files that list the samples of a rendered data set: `all_meta.json` and a `<class>_meta.json` per class."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.data.layout import SPLIT, VIEWS, SampleFiles, is_finished
from pointad.datasets.archive import is_good
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.class_names import unknown_class
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.json_files import read_json
from pointad.files.locks import wait_for_lock
from pointad.files.names import plain_component

logger = logging.getLogger(__name__)

_LOCK_NAME = ".listing.lock"
_WRITE_AGAIN = "write the JSON files again with the script in generate_dataset_json"


@dataclass(frozen=True)
class SampleRecord:
    """One sample of a rendered data set; all paths are absolute."""

    class_name: str
    species: str  # "good" or the kind of defect
    identifier: str
    label: int  # 1 is anomalous
    rgb_path: Path | None
    mask_path: Path | None  # an image, or a point cloud whose colours are the labels
    views_folder: Path
    views_gt_folder: Path
    correspondence_folder: Path
    point_cloud_path: Path | None


@dataclass(frozen=True)
class MetadataSummary:
    """The result of listing the samples."""

    samples: dict[str, dict[str, int]]  # finished samples per class and species
    unfinished: tuple[Path, ...]  # folders of samples skipped because files are missing


def metadata_path(root: str | Path, class_name: str | None = None) -> Path:
    """The file that lists the samples of one class, or of all.

    Raises:
        InputError: the class name is not a plain path component.
    """
    return Path(root) / ("all_meta.json" if class_name is None else f"{plain_component(class_name, 'class')}_meta.json")


def read_metadata(root: str | Path, class_name: str | None = None) -> list[SampleRecord]:
    """Read the samples of a data set in the order of the file.

    Paths in the file may be absolute, begin with the data set's folder under its former name, or be relative to it.

    Args:
        root: the data set's folder.
        class_name: read this class's own file instead of `all_meta.json`.

    Raises:
        InputError: the class does not exist, the file is missing or is not such a list, or a path leads outside the
            data set's folder.
    """
    path = metadata_path(root, class_name)
    if class_name is not None and not path.exists():
        known = _listed_classes(Path(root))
        if known and class_name not in known:
            raise unknown_class(class_name, known, f"{root} ({path.name} not found)")
    content = read_json(path, _WRITE_AGAIN)
    classes = content.get("test") if isinstance(content, dict) else None
    if not isinstance(classes, dict) or not all(isinstance(entries, list) for entries in classes.values()):
        raise InputError(path, 'has no "test" section with a list of samples per class', _WRITE_AGAIN)
    return [_record(path, Path(root), entry) for entries in classes.values() for entry in entries]


def _listed_classes(root: Path) -> list[str]:
    """The classes that have their own JSON file; empty if nothing is listed."""
    ending = metadata_path(root, "*").name.removeprefix("*")
    return sorted(path.name.removesuffix(ending) for path in root.glob(f"*{ending}") if path.name != "all_meta.json")


def write_metadata(root: str | Path, dataset_name: str) -> MetadataSummary:
    """List the finished samples below `root` in `all_meta.json` and one `<class>_meta.json` per class.

    Classes are in the data set's own order, followed by any others by name. Paths are relative to `root`.

    Args:
        root: the rendered data set's folder.
        dataset_name: which data set it is, see `pointad.datasets.registry`.

    Raises:
        InputError: the data set is unknown, no rendered sample is found, or a file cannot be written.
    """
    dataset = specification(dataset_name)
    folder = Path(root)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder that scripts/render_dataset.py wrote")
    # The last run to list has finished its own samples by then, and sees those of all others.
    with wait_for_lock(folder / _LOCK_NAME):
        return _list_samples(folder, dataset)


def _list_samples(folder: Path, dataset: DatasetSpecification) -> MetadataSummary:
    entries: dict[str, list[dict[str, Any]]] = {}
    unfinished: list[Path] = []
    for class_name in _class_names(folder, dataset):
        entries[class_name] = []
        for files in _samples(folder, class_name):
            if is_finished(files, _view_count(files)):
                entries[class_name].append(_entry(files, dataset))
            else:
                unfinished.append(files.views)
    entries = {class_name: found for class_name, found in entries.items() if found}
    if not entries:
        raise InputError(
            folder,
            f"holds no rendered sample (<class>/{SPLIT}/<species>/{VIEWS}/<id>)",
            "render the data set first with scripts/render_dataset.py",
        )
    for path in unfinished:
        logger.warning("%s: skipped because files of this sample are missing; render it again", path)
    _write(metadata_path(folder), entries)
    for class_name, found in entries.items():
        _write(metadata_path(folder, class_name), {class_name: found})
    return MetadataSummary(samples=_count(entries), unfinished=tuple(unfinished))


def _class_names(root: Path, dataset: DatasetSpecification) -> list[str]:
    present = sorted(folder.name for folder in root.iterdir() if (folder / SPLIT).is_dir())
    known = [name for name in dataset.classes if name in present]
    return known + [name for name in present if name not in known]


def _samples(root: Path, class_name: str) -> list[SampleFiles]:
    species_folders = sorted(folder for folder in (root / class_name / SPLIT).iterdir() if (folder / VIEWS).is_dir())
    return [
        SampleFiles(root, class_name, folder.name, sample.name)
        for folder in sorted(species_folders, key=lambda folder: not is_good(folder.name))
        for sample in sorted((folder / VIEWS).iterdir())
        if sample.is_dir() and not sample.name.startswith(".")
    ]


def _view_count(files: SampleFiles) -> int:
    return max(1, sum(1 for _ in files.views.glob("view_*.png")))


def _entry(files: SampleFiles, dataset: DatasetSpecification) -> dict[str, Any]:
    """One sample under the published keys, `d2_corrdinate` (sic) included."""
    organized = files.xyz.exists() if dataset.is_open else dataset.organized
    has_color = dataset.has_color or dataset.is_open
    paths: dict[str, Path | None] = {
        "d2_img_path": files.rgb if has_color and files.rgb.exists() else None,
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


def _write(path: Path, entries: Mapping[str, list[dict[str, Any]]]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"train": {}, "test": entries}, indent=4) + "\n", encoding="utf-8")


def _count(entries: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for class_name, found in entries.items():
        species = [entry["specie_name"] for entry in found]
        counts[class_name] = {name: species.count(name) for name in dict.fromkeys(species)}
    return counts


def _record(json_path: Path, root: Path, entry: Any) -> SampleRecord:
    if not isinstance(entry, dict):
        raise InputError(json_path, f"has a sample that is not an object: {entry!r:.80}", _WRITE_AGAIN)

    def text(key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value:
            raise InputError(json_path, f"has a sample without {key}: {entry!r:.200}", _WRITE_AGAIN)
        return value

    def path(key: str) -> Path:
        return _inside(json_path, root, text(key), text("cls_name"))

    def optional_path(key: str) -> Path | None:
        return path(key) if entry.get(key) else None

    label = entry.get("anomaly")
    if label not in (0, 1):
        raise InputError(json_path, f"has a sample whose anomaly is neither 0 nor 1: {entry!r:.200}", _WRITE_AGAIN)
    views_folder = path("d2_render_img_path")
    return SampleRecord(
        class_name=text("cls_name"),
        species=text("specie_name"),
        identifier=views_folder.name,
        label=int(label),
        rgb_path=optional_path("d2_img_path"),
        mask_path=optional_path("d2_mask_path"),
        views_folder=views_folder,
        views_gt_folder=path("d2_render_gt_path"),
        correspondence_folder=path("d2_corrdinate"),
        point_cloud_path=optional_path("d3_pcd_path") or optional_path("d3_pc"),
    )


def _inside(json_path: Path, root: Path, given: str, class_name: str) -> Path:
    """Resolve a path from the file to an absolute one below the data set's folder, or refuse it."""
    folder = Path(os.path.normpath(Path.cwd() / root))
    for candidate in (_below_root(folder, Path(given), class_name), folder / given):
        if candidate is None:
            continue
        normal = Path(os.path.normpath(candidate))
        if normal != folder and normal.is_relative_to(folder):
            return normal
    raise InputError(json_path, f"leads outside the data set's folder: {given}", _WRITE_AGAIN)


def _below_root(folder: Path, given: Path, class_name: str) -> Path | None:
    """The part from `<class>/test` on, placed below `folder`, if the part before it is the data set's folder.

    That is so if it is the same folder or has the same name: the data set was moved after the file was written, or
    the path is relative to another working directory.
    """
    parts = given.parts
    starts = [k for k in range(len(parts) - 1) if parts[k] == class_name and parts[k + 1] == SPLIT]
    if not starts:
        return None
    prefix, tail = Path(*parts[: starts[-1]]), parts[starts[-1] :]
    same = str(prefix) == "." or prefix.name == folder.name or os.path.realpath(prefix) == os.path.realpath(folder)
    return folder.joinpath(*tail) if same else None
