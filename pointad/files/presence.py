"""Whether something is there, for paths that come from others and may be none at all."""

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Whether a file is there; no for paths that are too long, loop, hold NUL, or lead where nobody may look."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether a folder is there; no as in `is_file`."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
