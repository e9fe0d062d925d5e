"""Ways to spoil files, and cheap copies of folders to spoil."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def linked_copy(source: Path, target: Path) -> Path:
    """A copy of a folder whose files take no room; replace its files (see below), never write into them.

    Logs are copied: programs append to them, and refuse those that are linked.
    """
    shutil.copytree(
        source, target, copy_function=lambda a, b: (shutil.copy2 if a.endswith("log.txt") else os.link)(a, b)
    )
    return target


def replace(path: Path, content: bytes) -> None:
    """Give a path another content, whatever else the old file is linked to."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def truncate(path: Path, part: float = 0.5) -> None:
    """Cut a file off."""
    content = path.read_bytes()
    replace(path, content[: int(len(content) * part)])


def empty(path: Path) -> None:
    """Leave nothing of a file."""
    replace(path, b"")


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def edit_lists(root: Path, changes: Mapping[str, object]) -> None:
    """Change the first sample in every JSON list of a data set; the value None removes a key.

    A sample of another class is listed under that class, ahead of the rest.
    """
    for path in root.glob("*_meta.json"):
        content = json.loads(path.read_text())
        samples = next(iter(content["test"].values()))
        entry = samples[0]
        entry.update(changes)
        if path.name == "all_meta.json" and isinstance(changes.get("cls_name"), str):
            del samples[0]
            content["test"] = {changes["cls_name"]: [entry], **content["test"]}
        for key in [key for key, value in changes.items() if value is None]:
            del entry[key]
        replace(path, json.dumps(content).encode())
