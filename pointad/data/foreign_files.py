"""Keeps files of others from being removed with the renderings of a sample, which are replaced folder by folder."""

import re
from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError
from pointad.files.existing import is_folder_beside

_RENDERINGS = re.compile(r"view_\d+(_gt)?\.png|view_\d+_cor\.npy|nonzero_indices\.npy")
_OF_SYSTEMS = ("Thumbs.db", "desktop.ini")  # that file managers make; the hidden ones are not looked at either


def refuse_foreign_files(folders: Iterable[Path]) -> None:
    """Refuse to remove folders of renderings in which something else lies.

    Args:
        folders: need not exist.

    Raises:
        InputError: there is a file or a folder that is neither a rendering nor hidden, or something else than a folder
            lies in the place of one: a pipe would be waited for.
    """
    for folder in folders:
        for path in sorted(folder.iterdir()) if is_folder_beside(folder) else ():
            known = _RENDERINGS.fullmatch(path.name) and not (path.is_dir() and not path.is_symlink())
            if not known and not path.name.startswith(".") and path.name not in _OF_SYSTEMS:
                problem = (
                    "was not written by the renderer, and would be lost when its folder is replaced by new pictures"
                )
                raise InputError(path, problem, "move it elsewhere")
