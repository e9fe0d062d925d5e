"""Says in one line that this Python cannot run the programs: it is too old, lacks a package, or one cannot be loaded.

Like the console command itself, this is read by Pythons as old as 3.7.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

_EXIT_ERROR = 2
_EXIT_INTERRUPTED = 130
_OLDEST = (3, 10)
_SETUP = Path("scripts") / "setup.sh"
_TQDM = "TQDM_"  # how tqdm's variables begin
_OF_BARS = frozenset({"disable", "leave", "mininterval", "maxinterval", "ncols", "dynamic_ncols"})
_LITTLE_MEMORY = ("failed to map segment", "allocate memory")  # of the loader of shared libraries
_UNLOADABLE = re.compile(r"([^\s:][^\n:]*): (?:failed to map segment|cannot allocate memory in (static TLS))")
_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def unfit_python_told() -> Iterator[None]:
    """Exit with one line if Python is too old for the block, or lacks a package of somebody else that it needs."""
    if sys.version_info < _OLDEST:
        _leave(
            f"{sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]}, and PointAD needs 3.10 or later"
        )
    try:
        _load_progress_bars()
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "pointad") or package in sys.stdlib_module_names:
            raise
        _leave(f"{sys.executable} has no package {error.name}")
    except (ImportError, MemoryError) as error:  # before the program's own way to tell of it was imported
        if not isinstance(error, MemoryError) and not any(said in str(error).lower() for said in _LITTLE_MEMORY):
            raise
        lack = unloadable_library(error) or "memory: not enough is available to load the program; use a larger machine"
        sys.stderr.write(f"error: {lack}\n")
        sys.exit(_EXIT_ERROR)
    except Exception as error:  # of a library that is imported with the program's flags, as NumPy is
        from pointad.commands.library_variables import unreadable_variables

        unreadable = unreadable_variables(error)
        if unreadable is None:
            raise
        sys.stderr.write(f"error: {unreadable}\n")
        sys.exit(_EXIT_ERROR)
    except KeyboardInterrupt:  # before the program's own way to end was imported
        sys.stderr.write("interrupted; run the same command again to continue\n")
        sys.exit(_EXIT_INTERRUPTED)


def _load_progress_bars() -> None:
    """Exit with one line if tqdm cannot be loaded, as it takes numbers from variables that hold something else.

    Of its variables, only those count that cannot keep a program from its work: with a file that is none, a layout that
    is none, or bytes for a text, every bar would end in an error.
    """
    for name in [name for name in os.environ if name.startswith(_TQDM) and name[len(_TQDM) :].lower() not in _OF_BARS]:
        if os.environ.pop(name):
            sys.stderr.write(
                "{}: is ignored; bars are set up by the programs\n".format(name.encode("ascii", "replace").decode())
            )
    variables = [name for name in os.environ if name.startswith(_TQDM)]
    if variables:
        try:
            import tqdm  # noqa: F401
        except ValueError as error:
            sys.stderr.write(f"error: {', '.join(variables)}: cannot be read by tqdm ({error}); unset it\n")
            sys.exit(_EXIT_ERROR)


def unloadable_library(error: BaseException) -> str | None:
    """Why a shared library cannot be loaded, and what to do, where the loader says what it says of little memory."""
    found = _UNLOADABLE.search(str(error))
    if found is None:
        return None
    library, thread_local = found.groups()
    if thread_local:
        return f"{library}: was loaded too late for its variables of threads; set LD_PRELOAD={library}"
    with contextlib.suppress(OSError):
        if os.statvfs(library).f_flag & os.ST_NOEXEC:
            return f"{library}: is on a disk that is mounted noexec; install Python's packages on another one"
    return None


def _leave(problem: str) -> NoReturn:
    remedy = "install PointAD with its requirements again"
    if (_ROOT / _SETUP).is_file():
        remedy = f"run: bash {_SETUP}, then: source .venv/bin/activate"
    sys.stderr.write(f"error: {problem}; {remedy}\n")
    sys.exit(_EXIT_ERROR)
