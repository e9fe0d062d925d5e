"""Shared libraries are loaded from Python's environment and the system, never from the folder that one stands in.

Two libraries would have them searched for there. cuSPARSELt, which comes with PyTorch, has an empty element in its own
search path, which stands for the working folder, and loads libcuda.so.1 as soon as it is loaded itself. OpenCV ends
LD_LIBRARY_PATH with such an element when it is imported, which the processes inherit that are started afterwards.

Like the console command itself, this is read by Pythons as old as 3.7.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_LIBRARIES = ("torch", "cv2")
_ELSEWHERE = "/"  # only the system's administrator writes there
_VARIABLE = "LD_LIBRARY_PATH"
_LOG = "TORCH_LOGS_OUT"  # a file that PyTorch opens while it is imported


class _AwayImporter:
    """Has these libraries imported away from the working folder."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """What Python finds itself; None for all other modules."""
        spec = PathFinder.find_spec(name, path, target) if name in _LIBRARIES else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = functools.partial(_execute_away, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def import_away_from_working_folder() -> None:
    """Have this process import them so from now on."""
    if _AwayImporter not in sys.meta_path:
        sys.meta_path.insert(0, _AwayImporter)


def _execute_away(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    if os.environ.get(_LOG):
        os.environ[_LOG] = str(Path.cwd() / os.environ[_LOG])
    if sys.pycache_prefix:
        sys.pycache_prefix = str(Path.cwd() / sys.pycache_prefix)
    with away_from_working_folder():
        execute(module)


@contextlib.contextmanager
def away_from_working_folder() -> Iterator[None]:
    """Stand in the root of the file system within the block; afterwards, be back, with LD_LIBRARY_PATH as it was.

    All threads of a process stand in one folder: none may use a relative path meanwhile.
    """
    variable = os.environ.get(_VARIABLE)
    try:
        folder = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY)
    except PermissionError:  # libraries are not found there either
        folder = None
    try:
        if folder is not None:
            os.chdir(_ELSEWHERE)
        yield
    finally:
        if folder is not None:
            os.fchdir(folder)
            os.close(folder)
        if variable is not None:
            os.environ[_VARIABLE] = variable
        elif _VARIABLE in os.environ:
            del os.environ[_VARIABLE]
