"""The settings of a rendered folder, stored in `rendering.json`, so that different settings are never mixed.

The file also lists the devices that have drawn, for information: all of them draw the same pictures, see
docs/exactness.md, so several may fill one folder. And it lists the raw data sets that renderings were made from: scans
of one name in two of them are rendered once.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pointad.data.layout import DEVICES, SETTINGS_NAME, SOURCES, SPLIT, VIEWS
from pointad.data.raw import RenderingOptions
from pointad.data.view_subset import AvailableViews
from pointad.datasets.base import DatasetSpecification
from pointad.datasets.registry import DATASETS, specification
from pointad.errors import InputError
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json, write_json
from pointad.files.locks import wait_for_lock
from pointad.files.presence import is_folder
from pointad.rendering.views import MOST_VIEWS, View, repeated_direction

logger = logging.getLogger(__name__)

_LOCK_NAME = ".rendering.lock"
LARGEST_UNIT = 1e9  # metres


def settings_of(dataset_name: str, options: RenderingOptions) -> dict[str, Any]:
    """The settings to store: everything that renderings and correspondences depend on besides the scans.

    Args:
        dataset_name: see `pointad.datasets.registry`.
        options: how its samples are rendered.

    Returns:
        numbers and texts by flag name; "point_size" is null if each class has its own.
    """
    views = options.views or specification(dataset_name).rig.views
    return {
        "dataset": dataset_name,
        "views": [view.name for view in views],
        "point_size": options.point_size,
        "image_size": options.image_size,
        "normals": options.normals_method,
        "visibility": options.visibility,
        "correspondence": options.correspondence,
        "metres_per_unit": options.reading.metres_per_unit,
        "keep_clusters": options.reading.keep_clusters,
    }


def read_settings(root: Path) -> dict[str, Any] | None:
    """The stored settings of a folder, in the form of `settings_of`; None if none are stored.

    Raises:
        InputError: the file cannot be read or has other content.
    """
    path = root / SETTINGS_NAME
    if not is_beside(path):
        return None
    remedy = "render into another folder, or remove this one first"
    found = read_json(path, remedy)
    texts = ("dataset", "normals", "visibility", "correspondence")
    if (
        not isinstance(found, dict)
        or not all(isinstance(found.get(name, ""), str) for name in texts)
        or not all(found.get(name) is None or _is_list_of_texts(found[name]) for name in ("views", DEVICES, SOURCES))
        or not _is_unit(found.get("metres_per_unit"))
    ):
        raise InputError(path, "does not contain the settings of a rendered folder", remedy)
    _check_views(found.get("views") or [], path, remedy)
    return found


def require_dataset(root: Path, dataset: DatasetSpecification) -> None:
    """Refuse to read a folder in another format than it was rendered from: grids and classes would be taken for others.

    Args:
        root: the rendered data set's folder.
        dataset: the format that is asked for.

    Raises:
        InputError: the folder was rendered from another format, or its settings cannot be read.
    """
    told = (read_settings(root) or {}).get("dataset")
    if told not in (None, dataset.name):
        problem = f"was rendered from {_spoken(told)}, not {dataset.name}"
        known = f"give --dataset {told:.80}, or use the script of that data set"
        other = f"render the scans again, as one of {', '.join(DATASETS)}"
        raise InputError(root, problem, known if told in DATASETS else other)


def stored_views(root: Path, dataset: DatasetSpecification, folders: Iterable[Path]) -> AvailableViews:
    """The views of a rendered data set: as stored when it was rendered, else as many as any sample has.

    If none are stored and there are as many views as in the data set's rig, they are assumed to be those of that rig,
    with which the published renderings were made.

    Args:
        root: the data set's folder.
        dataset: its format.
        folders: of the samples' pictures.

    Raises:
        InputError: the settings cannot be read, or a sample has more views than any rig.
    """
    told = (read_settings(root) or {}).get("views")
    if told:
        directions = tuple(View.from_name(name) for name in told)
        return AvailableViews(len(directions), directions, str(root))
    own = dataset.rig.views
    count = max(map(_count_views, folders), default=0) or len(own)
    return AvailableViews(count, own if count == len(own) else None, str(root))


def agree_on_settings(root: Path, dataset_name: str, options: RenderingOptions) -> None:
    """Store the settings that a folder is to be rendered with, or check that they match the stored ones.

    Renderings of older versions, which stored no settings, are assumed to match; this is logged.

    Args:
        root: the rendered data set's folder, which must exist.
        dataset_name: see `pointad.datasets.registry`.
        options: how its samples are to be rendered.

    Raises:
        InputError: the folder was rendered with other settings, or they cannot be read or written.
    """
    path = root / SETTINGS_NAME
    wanted = settings_of(dataset_name, options)
    with wait_for_lock(root / _LOCK_NAME):
        if is_beside(path):
            _compare(path, wanted)
            return
        if any(root.glob(f"*/{SPLIT}/*/{VIEWS}/*")):
            logger.warning(
                "%s: renderings without %s are assumed to have been made with the current flags", root, SETTINGS_NAME
            )
        write_json(path, wanted)


def note_device(root: Path, device: str | None) -> None:
    """Add the kind of a device to those that have drawn renderings of a folder, whose settings are stored already.

    Args:
        root: the rendered data set's folder.
        device: PyTorch's name of it, such as `cuda:0`; None is the CPU.

    Raises:
        InputError: the settings cannot be read or written.
    """
    kind = (device or "cpu").split(":")[0]
    path = root / SETTINGS_NAME
    with wait_for_lock(root / _LOCK_NAME):
        settings = read_settings(root)
        known = (settings or {}).get(DEVICES) or []
        if settings is not None and kind not in known:
            write_json(path, {**settings, DEVICES: sorted([*known, kind])})


def note_source(root: Path, archive: Path, *, afresh: bool) -> None:
    """Add a raw data set to those that renderings of a folder, whose settings are stored already, were made from.

    Those that are no longer there are forgotten, which is logged: mostly they were moved, and are this one.

    Args:
        root: the rendered data set's folder.
        archive: the raw data set's folder.
        afresh: every sample is rendered again: nothing of the earlier ones is left.

    Raises:
        InputError: the settings cannot be read or written.
    """
    own = os.path.realpath(archive)
    with wait_for_lock(root / _LOCK_NAME):
        settings = read_settings(root)
        if settings is None:
            return
        known = settings.get(SOURCES) or []
        earlier = [] if afresh else [source for source in known if source != own]
        others = [source for source in earlier if is_folder(source)]
        gone = [source for source in earlier if source not in others]
        if gone:
            message = "%s: was rendered from %s, which no longer exists; %s is assumed to be the same data"
            logger.warning(message, root, ", ".join(gone), own)
        if sorted([*others, own]) != known:
            write_json(root / SETTINGS_NAME, {**settings, SOURCES: sorted([*others, own])})


def other_sources(root: Path, archive: Path) -> list[str]:
    """The raw data sets besides this one that a folder was rendered from, or is being rendered from by another run.

    Raises:
        InputError: the folder's settings cannot be read.
    """
    own = os.path.realpath(archive)
    return [source for source in (read_settings(root) or {}).get(SOURCES) or [] if source != own]


def may_be_of_another(scan: Path, archive: Path, others: Iterable[str]) -> bool:
    """Whether another raw data set has a scan of the same place and name as one of an archive."""
    place = os.path.relpath(scan, archive)
    return any(os.path.lexists(Path(other) / place) for other in others)


def _count_views(folder: Path) -> int:
    """The number of views in a sample's folder of renderings, by the last one's number; 0 if there is no folder."""
    numbers = [path.stem.removeprefix("view_") for path in folder.glob("view_*.png")]
    count = max((int(number) + 1 for number in numbers if number.isascii() and number.isdigit()), default=0)
    if count > MOST_VIEWS:
        last = folder / f"view_{count - 1}.png"
        raise InputError(last, f"is beyond the {MOST_VIEWS} views that a sample may have", "remove it")
    return count


def _check_views(names: Sequence[str], path: Path, remedy: str) -> None:
    """Refuse texts that are no directions, and directions that are there twice."""
    try:
        directions = [View.from_name(name) for name in names]
    except InputError as error:
        raise InputError(path, f"holds an invalid view ({error.subject})", remedy) from error
    if len(directions) > MOST_VIEWS:
        raise InputError(path, f"has {len(directions)} views, more than {MOST_VIEWS}", remedy)
    if repeated_direction(directions) is not None:
        raise InputError(path, "contains a direction twice", remedy)


def _is_unit(value: Any) -> bool:
    """Whether this is a length in metres, or none is stated."""
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LARGEST_UNIT


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _compare(path: Path, wanted: dict[str, Any]) -> None:
    remedy = "render into another folder, or remove this one first"
    found = read_settings(path.parent) or {}
    found = {**found, "views": found.get("views") or wanted["views"]}
    differences = [
        f"{name} was {_spoken(found.get(name))}, now {_spoken(value)}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if differences:
        raise InputError(path.parent, f"was rendered with other settings ({'; '.join(differences)})", remedy)


def _spoken(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))[:200]
    return "the data set's own" if value is None else str(value)[:200]
