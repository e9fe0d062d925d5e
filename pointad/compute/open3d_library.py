"""Open3D, which takes seconds to import and needs system libraries (libusb, libGL) that a bare server may lack."""

import warnings
from types import ModuleType

from pointad.compute.interrupts import held_interrupts


def load_open3d() -> ModuleType:
    """Import it; its warning that it found no GPU is not shown, and is no error under ``python -W error``.

    Raises:
        ImportError: it, or one of the system's libraries, is missing.
    """
    try:
        with held_interrupts(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import open3d
    except OSError as error:
        raise ImportError(str(error)) from error
    return open3d
