"""What is imported comes from Python and from this library's environment, never from the folder that one stands in.

Python puts the working folder in front of everything where it is started with ``-c`` or ``-m``, which is how its own
libraries start processes: standing in a stranger's folder, a ``multiprocessing.py`` there would run.
"""

import contextlib
import importlib.machinery
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pointad.errors import InputError

_VARIABLE = "PYTHONSAFEPATH"


@contextlib.contextmanager
def working_folder_not_imported(version: tuple[int, ...] = tuple(sys.version_info[:2])) -> Iterator[None]:
    """Have no process that is started within the block import from the working folder.

    Args:
        version: of Python. Before 3.11 it has no such switch; the folder must not hold what would be run, then.

    Raises:
        InputError: with Python 3.10, the working folder has a module under the name of one of Python's own.
    """
    if version < (3, 11):
        _refuse_modules_of_pythons_names(version)
        yield
        return
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def _refuse_modules_of_pythons_names(version: tuple[int, ...]) -> None:
    with contextlib.suppress(OSError):
        for path in sorted(Path.cwd().iterdir()):
            if path.name.split(".")[0] in sys.stdlib_module_names and _is_importable(path):
                problem = f"has the name of a module of Python's own, and Python {version[0]}.{version[1]} would run it"
                raise InputError(path, problem, "change to another folder, or use Python 3.11 or newer")


def _is_importable(path: Path) -> bool:
    name = path.name.split(".", 1)[0]
    endings = importlib.machinery.all_suffixes()
    if path.is_dir():
        return path.name == name and any((path / f"__init__{ending}").exists() for ending in endings)
    return path.name in {f"{name}{ending}" for ending in endings}
