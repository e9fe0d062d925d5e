"""How a folder was rendered, kept in `rendering.json` beside the renderings, so that no folder holds two kinds."""

import json
import logging
from pathlib import Path
from typing import Any

from pointad.data.layout import SPLIT, VIEWS
from pointad.data.raw import RenderingOptions
from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pointad.files.json_files import read_json
from pointad.files.locks import wait_for_lock

logger = logging.getLogger(__name__)

SETTINGS_NAME = "rendering.json"
_LOCK_NAME = ".rendering.lock"


def settings_of(dataset_name: str, options: RenderingOptions) -> dict[str, Any]:
    """What is written: whatever the pictures and correspondences of a data set depend on beside its scans.

    Args:
        dataset_name: see `pointad.datasets.registry`.
        options: how its samples are rendered.

    Returns:
        numbers and texts by the names of the flags; "views" and "point_size" are null where each class has its own.
    """
    views = options.views
    return {
        "dataset": dataset_name,
        "views": None if views is None else [f"{view.axis}{view.degrees:g}" for view in views],
        "point_size": options.point_size,
        "image_size": options.image_size,
        "normals": options.normals_method,
        "visibility": options.visibility,
        "correspondence": options.correspondence,
        "metres_per_unit": options.reading.metres_per_unit,
        "keep_clusters": options.reading.keep_clusters,
    }


def agree_on_settings(root: Path, dataset_name: str, options: RenderingOptions) -> None:
    """Note how a folder is going to be rendered, or find that it was rendered in this way before.

    Renderings of older versions, which noted nothing, are taken for what is asked for now; the log says so.

    Args:
        root: the rendered data set's folder, which is there.
        dataset_name: see `pointad.datasets.registry`.
        options: how its samples are to be rendered.

    Raises:
        InputError: the folder was rendered in another way, its note cannot be read, or it cannot be written to.
    """
    path = root / SETTINGS_NAME
    wanted = settings_of(dataset_name, options)
    with wait_for_lock(root / _LOCK_NAME):
        if path.is_file():
            _compare(path, wanted)
            return
        if any(root.glob(f"*/{SPLIT}/*/{VIEWS}/*")):
            logger.warning("%s: renderings without %s, taken to be made with the present flags", root, SETTINGS_NAME)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _compare(path: Path, wanted: dict[str, Any]) -> None:
    remedy = "render into another folder, or remove this one first"
    found = read_json(path, remedy)
    if not isinstance(found, dict):
        raise InputError(path, "does not say how the folder was rendered", remedy)
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
