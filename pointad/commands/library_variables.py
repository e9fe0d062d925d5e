"""Environment variables with which a library cannot be imported, as TORCH_LOGS with a name that it does not know."""

import os
import traceback

_BEGINNINGS = {
    "torch": ("TORCH", "PYTORCH"),
    "huggingface_hub": ("HF_", "HUGGINGFACE"),
    "timm": ("TIMM_",),
    "transformers": ("TRANSFORMERS_", "HF_"),
    "sklearn": ("SKLEARN_",),
    "joblib": ("JOBLIB_",),
    "scipy": ("SCIPY_",),
    "numpy": ("NUMPY_", "NPY_", "SOURCE_DATE_EPOCH"),
    "open3d": ("OPEN3D_", "WEBRTC_"),
}
"""How the variables begin that a library reads while it is imported."""
_NAMES = {"torch": "PyTorch"}


def unreadable_variables(error: BaseException) -> str | None:
    """What an import of a library failed at and what to do, for one line of errors; None if it is another error.

    Those variables are named that the error is about, by name or by value; else all that the library may read, unless
    it is an error of the system, about any file.
    """
    library = _imported(error)
    if library is None:
        return None
    theirs = {name: value for name, value in os.environ.items() if name.startswith(_BEGINNINGS[library])}
    said = str(error)
    named = [name for name in theirs if name in said]
    named = named or [name for name, value in theirs.items() if (value or repr(value)) in said]
    names = sorted(named or ([] if isinstance(error, OSError) else theirs))
    if not names:
        return None
    reason = next((line for line in said.splitlines() if line.strip()), type(error).__name__)
    problem = f"{_NAMES.get(library, library)} cannot be imported with this value ({reason})"
    # PyTorch sets some itself, to folders in TMPDIR: unsetting these would not help.
    remedy = "set it to a folder of yours" if isinstance(error, OSError) else "unset it, or give another"
    return f"{', '.join(names)}: {problem}; {remedy}"


def _imported(error: BaseException) -> str | None:
    """The library, one of whose modules was executed when it was raised; of several, the one that others imported."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [frame.f_globals.get("__name__") or "" for frame in frames if frame.f_code.co_name == "<module>"]
    libraries = [name for name in (module.partition(".")[0] for module in modules) if name in _BEGINNINGS]
    return libraries[-1] if libraries else None
