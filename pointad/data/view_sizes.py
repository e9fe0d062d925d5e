"""Whether renderings have the size of the grid, told from their headers: decoded, all together may take gigabytes."""

from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError
from pointad.files.pictures import picture_size
from pointad.files.presence import is_file


def check_view_sizes(paths: Iterable[Path], size: int) -> None:
    """Refuse pictures of another size than the grid: points would silently move to other rows.

    Args:
        paths: of one sample's pictures; those that are missing or broken are left to their reader.
        size: side of the grid, in pixels.

    Raises:
        InputError: one has another size.
    """
    for path in paths:
        found = picture_size(path) if is_file(path) else None
        if found not in (None, (size, size)):
            problem = f"holds a picture of {found[0]} x {found[1]} pixels, expected {size} x {size}"
            raise InputError(path, problem, "give the --grid_size that it was rendered with, or render it again")
