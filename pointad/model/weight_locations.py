"""Where weights are looked for: the demo's inside the package, those for real data in one of several folders."""

import logging
import os
from pathlib import Path

from pointad.errors import InputError
from pointad.files.presence import is_file, is_folder
from pointad.files.regular import as_path

CACHE_VARIABLE = "POINTAD_CACHE"  # names the user's cache folder

NO_WEIGHTS = "neither a file nor a name of CLIP weights", "give the path of a file, demo or openai"
"""What is wrong with weights that are not there, and what to do."""

DEFAULT_MODEL = "ViT-L-14-336"  # what the released prompts were trained with
QUICK_GELU_SUFFIX = "-quickgelu"  # of a model's name; the weights are the same

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDER = "checkpoints"

logger = logging.getLogger(__name__)


def demo_folder() -> Path:
    """The folder of the demo backbone and its prompts: inside an installed package, beside it in the repository."""
    packaged = _PACKAGE / _FOLDER
    return packaged if packaged.is_dir() else _PACKAGE.parent / _FOLDER


def cache_folder() -> Path:
    """The user's cache folder: the value of the environment variable POINTAD_CACHE, else ~/.cache/pointad."""
    place = os.environ.get(CACHE_VARIABLE) or "~/.cache/pointad"
    return Path(os.path.expanduser(place))  # noqa: PTH111 (pathlib's fails for a user without a home)


def weight_folders() -> list[Path]:
    """The folders searched for weights for real data, in this order; not all of them need to exist.

    These are ``checkpoints`` in the working directory, ``checkpoints`` of the repository (or of the package), and the
    user's cache folder.
    """
    return list(dict.fromkeys([Path.cwd() / _FOLDER, demo_folder(), cache_folder()]))


def folder_for_downloads() -> Path:
    """Where to put manually downloaded weights: the repository's ``checkpoints``, or the user's cache folder."""
    return cache_folder() if demo_folder().is_relative_to(_PACKAGE) else demo_folder()


def openai_file(model: str) -> Path | None:
    """The weights that OpenAI published for a model, where a user put them; None if they are in no weight folder.

    Args:
        model: an open_clip name; those for pictures of 336 pixels are published as ``…px``.
    """
    name = model.removesuffix(QUICK_GELU_SUFFIX)
    places = (folder / file for folder in weight_folders() for file in (f"{name}.pt", f"{name}px.pt"))
    return next(filter(is_file, places), None)


def locate(path: str | Path) -> Path:
    """Find a file by its path or, if there is none, in one of the weight folders.

    Args:
        path: of weights or prompts, such as ``mvtec_pc_3d_rgb/carrot/epoch_15.pth``; relative ones may begin with
            ``checkpoints/``.

    Returns:
        The file that was found, or `path` unchanged if there is none.
    """
    path = as_path(path, "path of weights or prompts")
    found = place_of(path)
    if found != path:
        logger.info("%s found as %s", path, found)
    return found


def place_of(path: Path) -> Path:
    """The same without a word in the log, for a text that may be no path, such as the name of the demo's CLIP."""
    if path.is_absolute() or os.path.lexists(path):
        return path
    inner = Path(*path.parts[1:]) if path.parts[:1] == (_FOLDER,) else path
    for folder in weight_folders():
        if is_file(folder / inner) or is_folder(folder / inner):  # not so in a home that may not be read
            return folder / inner
    return path


def demo_checkpoints() -> list[Path]:
    """The learned prompts shipped for the demo backbone, in the order of their training classes.

    Raises:
        InputError: there are none.
    """
    folder = demo_folder() / "demo"
    found = sorted(folder.glob("*/epoch_*.pth"))
    if not found:
        raise InputError(
            folder, "holds no learned prompts", "restore the folder, give a checkpoint, or run: bash train.sh"
        )
    return found
