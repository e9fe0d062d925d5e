"""The JSON files that list the samples of a rendered data set: `all_meta.json` and a `<class>_meta.json` per class.

Good scans that are no test samples have a list of their own, `good_scans.json`: readers of the published layout take
whatever the others list for test samples, or for a training split that they know nothing of.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointad.data.layout import GOOD_SPLIT, SPLIT
from pointad.data.listed_paths import WRITE_AGAIN, inside
from pointad.datasets.class_names import LONGEST_CLASS, unknown_class
from pointad.errors import InputError
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json
from pointad.files.names import plain_component
from pointad.files.presence import is_folder

logger = logging.getLogger(__name__)

GOOD_SCANS_NAME = "good_scans.json"


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
        InputError: the class does not exist, the file is missing, is not such a list or an empty one, a path leads
            outside the data set's folder, or a sample is listed twice, under another class or with files of another.
    """
    path = metadata_path(root, class_name)
    if class_name is not None and path == metadata_path(root):  # a class called "all" has no list of its own
        every = _read(path, Path(root), SPLIT)
        found = [record for record in every if record.class_name == class_name]
        if not found:
            raise unknown_class(class_name, sorted({record.class_name for record in every}), root)
        return found
    if class_name is not None and not path.exists():
        known = _listed_classes(Path(root))
        if known and class_name not in known:
            raise unknown_class(class_name, known, f"{root} ({path.name} not found)")
    return _read(path, Path(root), SPLIT, class_name)


def read_good_scans(root: str | Path) -> list[SampleRecord]:
    """Read the list of the good scans that are no test samples; empty if there is no such list.

    Args:
        root: the data set's folder.

    Raises:
        InputError: the file is no such list, lists an anomalous sample, or a path leads outside the data set's folder.
    """
    path = Path(root) / GOOD_SCANS_NAME
    if not is_beside(path):
        return []
    records = _read(path, Path(root), GOOD_SPLIT)
    for record in records:
        if record.label:
            raise InputError(path, f"lists {record.views_folder}, which is anomalous", WRITE_AGAIN)
    return records


def _read(path: Path, root: Path, section: str, class_name: str | None = None) -> list[SampleRecord]:
    content = read_json(path, WRITE_AGAIN)
    classes = content.get(section) if isinstance(content, dict) else None
    if not isinstance(classes, dict) or not all(isinstance(entries, list) for entries in classes.values()):
        raise InputError(path, f'has no "{section}" section with a list of samples per class', WRITE_AGAIN)
    records = []
    for name, entries in classes.items():
        of_class = [_record(path, root, entry) for entry in entries]
        wanted = name if class_name is None else class_name
        for foreign in {record.class_name for record in of_class} - {wanted}:
            problem = f"lists a sample of class {foreign} under class {name}"
            raise InputError(path, problem, WRITE_AGAIN)  # it would be counted, or learned from, as that class
        records += of_class
    if section == SPLIT and not records:
        raise InputError(path, "lists no sample", WRITE_AGAIN)
    _check_distinct(records, path)
    _check_apart(records, path)
    return records


def _check_distinct(records: Sequence[SampleRecord], path: Path) -> None:
    """Refuse samples that are listed twice, which would count twice, and two samples of one name."""
    seen: set[object] = set()
    for record in records:
        name = (record.class_name, record.species, record.identifier)
        if name in seen or record.views_folder in seen:
            raise InputError(path, f"lists the sample {'/'.join(name)} twice", WRITE_AGAIN)
        seen |= {name, record.views_folder}


def _check_apart(records: Sequence[SampleRecord], path: Path) -> None:
    """Refuse samples with files of other samples, whose points or defects would be taken for theirs.

    Files may have any names, but not those of another sample, listed or not, which lie beside its own in folders of a
    species.
    """
    places = {_place(record.views_folder) for record in records}
    for record in records:
        own = _place(record.views_folder)
        folders = (record.views_gt_folder, record.correspondence_folder)
        files = (record.rgb_path, record.mask_path, record.point_cloud_path)
        found = {one: _place(one) for one in folders}
        found |= {one: _place(one.with_suffix("")) for one in files if one is not None}
        for one, place in found.items():
            if place != own and (place in places or is_folder(place[0] / record.views_folder.parent.name / place[1])):
                name = "/".join((record.class_name, record.species, record.identifier))
                raise InputError(path, f"lists {one}, of another sample, for {name}", WRITE_AGAIN)


def _place(path: Path) -> tuple[Path, str]:
    """The folder of the species, and the name of the sample, as far as the path is of the usual layout."""
    return path.parent.parent, path.name


def _listed_classes(root: Path) -> list[str]:
    """The classes that have their own JSON file; empty if nothing is listed."""
    ending = metadata_path(root, "*").name.removeprefix("*")
    return sorted(path.name.removesuffix(ending) for path in root.glob(f"*{ending}") if path.name != "all_meta.json")


def _record(json_path: Path, root: Path, entry: Any) -> SampleRecord:
    if not isinstance(entry, dict):
        raise InputError(json_path, f"has a sample that is not an object: {entry!r:.80}", WRITE_AGAIN)

    def text(key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value:
            raise InputError(json_path, f"has a sample without {key}: {entry!r:.200}", WRITE_AGAIN)
        return value

    def path(key: str) -> Path:
        return inside(json_path, root, text(key), text("cls_name"))

    def optional_path(key: str) -> Path | None:
        return None if entry.get(key) in (None, "") else path(key)

    for key in ("cls_name", "specie_name"):
        if len(text(key)) > LONGEST_CLASS:
            problem = f"has a {key} of {len(text(key))} characters, {LONGEST_CLASS} at most are expected"
            raise InputError(json_path, problem, WRITE_AGAIN)
    label = entry.get("anomaly")
    if label not in (0, 1):
        raise InputError(json_path, f"has a sample whose anomaly is neither 0 nor 1: {entry!r:.200}", WRITE_AGAIN)
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
