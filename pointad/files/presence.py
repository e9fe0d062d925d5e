"""Whether a file or folder exists, for untrusted paths that may be invalid."""

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Whether a file exists; False for paths that are too long, loop, contain NUL, or lead where access is denied."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether a folder exists; False in the same cases as in `is_file`."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
