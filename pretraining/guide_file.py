"""The guide and the text encoder that it learned with, kept on disk: an interrupted pre-training goes on from there."""

import hashlib
import json
from pathlib import Path
from typing import Any

import open_clip
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pointad.errors import InputError
from pointad.files.atomic import atomic_path
from pretraining.guide import Guide

_TEXTS, _GUIDE = "texts.", "guide."


def guide_file(folder: Path, recipe: dict[str, Any]) -> Path:
    """The file of a recipe's guide: `guide.safetensors`, unless that is of another recipe, which took hours to learn.

    Args:
        folder: of what a pre-training keeps; need not exist.
        recipe: all that decides what the guide becomes.

    Raises:
        InputError: the file there is no guide.
    """
    path = folder / "guide.safetensors"
    if not path.is_file() or _recipe_of(path) == recipe:
        return path
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"guide_{digest}.safetensors"


def save_guide(path: Path, recipe: dict[str, float], model: open_clip.CLIP, guide: Guide) -> None:
    """Write what the image encoder learns from.

    Args:
        path: the safetensors file.
        recipe: all that decides what they became.
        model: whose text encoder has learned.
        guide: not frozen yet.

    Raises:
        InputError: the file cannot be written.
    """
    entries = {_GUIDE + name: entry.detach().cpu().contiguous() for name, entry in guide.state_dict().items()}
    for name, entry in model.state_dict().items():
        if not name.startswith("visual."):
            entries[_TEXTS + name] = entry.detach().cpu().contiguous()
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(entries, {"recipe": json.dumps(recipe)}))


def load_guide(path: Path, recipe: dict[str, float], model: open_clip.CLIP, guide: Guide) -> bool:
    """Fill the model's text encoder and the guide from a file of `save_guide`, if it is there and of this recipe.

    Returns:
        Whether it was.

    Raises:
        InputError: the file is no guide.
    """
    if not path.is_file() or _recipe_of(path) != recipe:
        return False
    with safe_open(path, framework="pt") as file:
        entries = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    guide.load_state_dict({name.removeprefix(_GUIDE): entries[name] for name in entries if name.startswith(_GUIDE)})
    texts = {name.removeprefix(_TEXTS): entries[name] for name in entries if name.startswith(_TEXTS)}
    model.load_state_dict({**model.state_dict(), **texts})
    return True


def _recipe_of(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {}).get("recipe", "{}"))
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(path, f"is no guide of a pre-training ({error})", "remove it to start afresh") from error
