"""The RGB pictures that belong to scans."""

from pathlib import Path

from pointad.datasets.archive import picture_beside
from pointad.errors import InputError


def find_picture(scan: Path, rgb: Path | None) -> Path | None:
    """The RGB picture of a scan: the given file, or the one named after the scan in the given folder.

    Raises:
        InputError: the folder has no such picture.
    """
    if rgb is None or not rgb.is_dir():
        return rgb
    found = picture_beside(rgb, scan.stem)
    if found is not None:
        return found
    raise InputError(rgb, f"has no image named {scan.stem}", "give a folder with an image for every scan")
