"""The RGB pictures that belong to scans."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pointad.datasets.archive import picture_beside
from pointad.errors import InputError
from pointad.files.presence import is_folder


def find_picture(scan: Path, rgb: Path | None) -> Path | None:
    """The RGB picture of a scan: the given file, or the one named after the scan in the given folder.

    Raises:
        InputError: the folder has no such picture.
    """
    if rgb is None or not is_folder(rgb):
        return rgb
    found = picture_beside(rgb, scan.stem)
    if found is not None:
        return found
    raise InputError(rgb, f"has no image named {scan.stem}", "give a folder with an image for every scan")


def check_pictures(scans: Sequence[Path], rgb: Path | None) -> None:
    """Refuse several scans that would silently share one picture.

    Raises:
        InputError: a single picture is given for them, or two of them have the same name.
    """
    if rgb is None:
        return
    names = [scan.stem for scan in scans]
    if not is_folder(rgb) and len(names) > 1:
        problem = f"is one picture, and there are {len(names)} scans"
        raise InputError(rgb, problem, "give a folder with an image for every scan, or one scan")
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise InputError(rgb, f"has one image {name} for several scans of that name", "inspect them one at a time")
