"""Keeps renderings out of the raw data set: a folder of the output may lead back into it, by its place or by a link."""

import os
from collections.abc import Sequence
from pathlib import Path

from pointad.data.export import output_files
from pointad.data.layout import SETTINGS_NAME, SPLIT, VIEWS, SampleFiles
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample

_REMEDY = "choose another --save_path"


def refuse_nested(archive: Path, root: Path) -> None:
    """Refuse an output folder that is the raw data set, lies in it, or holds it; links are followed.

    Raises:
        InputError: it is, or does.
    """
    raw, place = _line(archive), _line(root)
    if raw[0] == place[0]:
        raise InputError(root, "is the raw data set itself", _REMEDY)
    if raw[0] in place:
        raise InputError(root, f"lies in the raw data set {archive}", _REMEDY)
    if place[0] in raw:
        raise InputError(root, f"holds the raw data set {archive}", _REMEDY)


def refuse_links_into(archive: Path, root: Path, samples: Sequence[RawSample]) -> None:
    """Refuse links in the output folder that lead to where raw files lie: those would be replaced.

    Args:
        archive: the raw data set's folder.
        root: the output folder.
        samples: those that are to be rendered; their files may lie elsewhere if folders of the archive are links.

    Raises:
        InputError: a folder that is written to leads there.
    """
    sources = {path.parent for sample in samples for path in _files(sample)}
    raw = {_line(folder)[0] for folder in (archive, *sources)}
    for folder in sorted({folder for sample in samples for folder in _written(sample, root)}):
        if not raw.isdisjoint(_line(folder)):
            place = os.path.realpath(folder)
            raise InputError(folder, f"leads into the raw data set ({place})", f"remove the link, or {_REMEDY}")


def refuse_replacing_raw(root: Path, samples: Sequence[RawSample]) -> None:
    """Refuse an output folder that holds files by the names of rendered ones, but no renderings: another raw data set.

    Args:
        root: the output folder.
        samples: those that are to be rendered.

    Raises:
        InputError: a file of the folder would be replaced that no rendering wrote.
    """
    settings = root / SETTINGS_NAME
    if os.path.lexists(settings) or any(root.glob(f"*/{SPLIT}/*/{VIEWS}")):
        return
    held = next((path for sample in samples for path in _copies(sample, root) if os.path.lexists(path)), None)
    if held is not None and not os.path.lexists(settings):  # else another run has begun to render meanwhile
        raise InputError(root, f"holds {held.relative_to(root)} and no renderings: another raw data set?", _REMEDY)


def _files(sample: RawSample) -> list[Path]:
    return [path for path in (sample.scan_path, sample.rgb_path, sample.mask_path) if path is not None]


def _written(sample: RawSample, root: Path) -> list[Path]:
    """The folders that a sample's renderings lie in, beside those of other samples."""
    files = _output_files(sample, root)
    folders = [] if files is None else [files.views, files.views_gt, files.correspondences]
    return [path.parent for path in (*_copies(sample, root), *folders)]


def _copies(sample: RawSample, root: Path) -> list[Path]:
    """The files that are written beside a sample's renderings."""
    files = _output_files(sample, root)
    return [] if files is None else [files.rgb, files.mask, files.xyz, files.point_cloud, files.labelled_point_cloud]


def _output_files(sample: RawSample, root: Path) -> SampleFiles | None:
    """Where a sample is rendered to; None if its name cannot be that of a folder: it fails on its own."""
    try:
        return output_files(sample, root)
    except InputError:
        return None


def _line(path: Path) -> list[object]:
    """A folder and those that it lies in, each by what tells it apart under any name; a missing one by its path."""
    real = Path(os.path.realpath(path))
    found: list[object] = []
    for place in (real, *real.parents):
        try:
            status = place.stat()
            found.append((status.st_dev, status.st_ino))
        except OSError:
            found.append(place)
    return found
