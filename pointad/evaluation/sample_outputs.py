"""Where the maps and pictures of a run's samples lie, and which of them a run that never ended has left."""

import csv
from collections.abc import Iterable
from pathlib import Path

from pointad.errors import InputError
from pointad.evaluation.modalities import MODALITIES
from pointad.files.atomic import remove_file, write_text
from pointad.files.csv_tables import csv_text, read_table
from pointad.files.escaping import for_csv, from_csv
from pointad.files.existing import is_beside
from pointad.files.names import file_name, place_below, seen_alike
from pointad.files.presence import is_file
from pointad.files.regular import refuse_leaving

SCORES_NAME = "scores.csv"
MAPS, PICTURES = "maps", "visualization"  # folders
SCORE_COLUMNS = ("class", "species", "id", "label", *(f"{modality}_score" for modality in MODALITIES))
MAPS_COLUMN, PICTURE_COLUMN = "maps_fingerprint", "picture_fingerprint"
"""Further columns of the table of scores, where maps or pictures were written: of the files that belong to it."""
UNFINISHED_NAME = "unfinished.csv"
"""Names the samples whose maps or pictures a run writes; it is gone once the run has written its figures."""

SampleName = tuple[str, str, str]  # class, species, identifier


def maps_file(folder: Path, class_name: str, species: str, identifier: str) -> Path:
    """The path of a sample's maps in a run's folder."""
    return place_below(folder / MAPS, class_name, species) / f"{file_name(identifier)}.npz"


def picture_file(folder: Path, class_name: str, species: str, identifier: str) -> Path:
    """The path of a sample's picture in a run's folder."""
    return place_below(folder / PICTURES, class_name, species) / f"{file_name(identifier)}.png"


def is_unfinished(folder: Path) -> bool:
    """Whether maps and pictures in a run's folder may be of a run that never ended, unlike the figures beside them."""
    return is_beside(folder / UNFINISHED_NAME)


def announce(folder: Path, names: Iterable[SampleName]) -> None:
    """Note down whose maps or pictures are about to be written, so that the next run can tell if this one is killed.

    Raises:
        InputError: the file cannot be written.
    """
    rows = [[*map(for_csv, name)] for name in names]
    write_text(folder / UNFINISHED_NAME, csv_text([SCORE_COLUMNS[:3], *rows]))


def refuse_one_file_for_two(folder: Path, names: Iterable[SampleName]) -> None:
    """Refuse samples whose maps would replace those of others, and be shown as theirs.

    Names are written as they are shown, so that one with a line break and one with a backslash and an n are the same;
    some file systems take names for one that differ in the case of letters.

    Args:
        folder: of the run; need not exist.
        names: of its samples.

    Raises:
        InputError: there are such samples.
    """
    takes_alike_for_one = _takes_alike_for_one(folder)
    seen: dict[str, SampleName] = {}
    for name in names:
        place = str(maps_file(folder, *name).relative_to(folder))
        other = seen.setdefault(seen_alike(place) if takes_alike_for_one else place, name)
        if other != name:
            first, second = ("/".join(map(repr, one)) for one in (other, name))
            problem = f"the maps or pictures of samples {first} and {second} would be one file"
            raise InputError(folder, problem, "rename one of them, or write neither maps nor pictures")


def _takes_alike_for_one(folder: Path) -> bool:
    """Whether what lies in a folder is also found under names in other letter case; False if nothing does."""
    try:
        present = {path.name for path in folder.iterdir()}
    except OSError:  # whoever writes says what is wrong
        return False
    return any(name.swapcase() not in present and (folder / name.swapcase()).exists() for name in present)


def confirm(folder: Path) -> None:
    """Take the note back: the figures in the folder are of the run that wrote the maps and pictures.

    Raises:
        InputError: the file cannot be removed.
    """
    remove_file(folder / UNFINISHED_NAME)


def discard(folder: Path) -> None:
    """Remove the maps and pictures of earlier runs, whether they ended or not.

    Only what their tables name is removed, nothing else that lies in the folder.

    Raises:
        InputError: they cannot be removed, or a link leads to them.
    """
    for table in (SCORES_NAME, UNFINISHED_NAME):
        for name in _named_in(folder / table):
            for path in (maps_file(folder, *name), picture_file(folder, *name)):
                refuse_leaving(folder, path)
                remove_file(path)
    confirm(folder)


def _named_in(path: Path) -> list[SampleName]:
    """Class, species and identifier of every sample in a table; none if there is no such table."""
    if not is_file(path):
        return []
    try:
        _, rows = read_table(path)
    except (OSError, ValueError, csv.Error):
        return []
    cells = [[row.get(column) for column in SCORE_COLUMNS[:3]] for row in rows]
    return [tuple(map(from_csv, row)) for row in cells if None not in row]  # type: ignore[arg-type, misc]
