"""Open3D, which takes seconds to import and needs system libraries (libusb, libGL) that a bare server may lack."""

from types import ModuleType

from pointad.compute.interrupts import held_interrupts
from pointad.compute.library_loading import raise_lack
from pointad.compute.silence import without_warnings


def load_open3d() -> ModuleType:
    """Import it; its warning that it found no GPU is not shown, and is no error under ``python -W error``.

    Raises:
        ImportError: it, or one of the system's libraries, is missing.
        MemoryError: it is there, but memory or a limit of this process does not suffice to load it.
    """
    try:
        with held_interrupts(), without_warnings():
            import open3d
    except (ImportError, OSError) as error:
        raise_lack("Open3D", error)
        raise ImportError(str(error)) from error
    return open3d
