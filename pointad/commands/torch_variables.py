"""Environment variables with which PyTorch cannot be imported, such as TORCH_LOGS with a name that it does not know."""

import os
import traceback
from collections.abc import Mapping

_TORCH = "torch"
_BEGINNINGS = ("TORCH", "PYTORCH")


def unreadable_torch_variables(error: BaseException, environment: Mapping[str, str] = os.environ) -> str | None:
    """What an import of PyTorch failed at and what to do, for one line of errors; None if it is another error.

    Those variables are named that the error is about, by name or by value; else all that PyTorch may read.

    Args:
        error: with its traceback.
        environment: of this process.
    """
    if not _is_of_import(error):
        return None
    theirs = {name: value for name, value in environment.items() if name.startswith(_BEGINNINGS) and value}
    said = str(error)
    named = [name for name in theirs if name in said] or [name for name, value in theirs.items() if value in said]
    names = sorted(named or theirs)
    if not names:
        return None
    reason = next((line for line in said.splitlines() if line.strip()), type(error).__name__)
    return f"{', '.join(names)}: PyTorch cannot be imported with this value ({reason}); unset it"


def _is_of_import(error: BaseException) -> bool:
    """Whether it was raised while a module of PyTorch was executed."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [frame.f_globals.get("__name__") or "" for frame in frames if frame.f_code.co_name == "<module>"]
    return any(module.partition(".")[0] == _TORCH for module in modules)
