"""Which files a person means who names files and folders of scans, and which folder the results of each get."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pointad.errors import InputError
from pointad.files.names import file_name
from pointad.scans.files import SUFFIXES

NOT_SEARCHED = (".txt", ".csv")  # in folders these mostly hold something else


def find_scans(named: Sequence[Path], output: Path) -> Iterator[Path]:
    """The files that were named, and those in the folders that were named, but not what this program wrote.

    Raises:
        InputError: a folder holds no scan.
    """
    for path in named:
        if not path.is_dir():
            yield path
            continue
        found = [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file()
            and file.suffix.lower() in SUFFIXES
            and file.suffix.lower() not in NOT_SEARCHED
            and output.resolve() not in file.resolve().parents
        ]
        if not found:
            raise InputError(path, "holds no scan", f"name a folder with files that end in {', '.join(SUFFIXES)}")
        yield from found


def output_folders(scans: Sequence[Path], root: Path) -> list[Path]:
    """A folder for every scan below `root`, called like its file (see `file_name`); files of one name get a number."""
    taken: set[str] = set()
    folders = []
    for scan in scans:
        name, number = file_name(scan.stem), 1
        while name.lower() in taken:
            number += 1
            name = f"{file_name(scan.stem)}_{number}"
        taken.add(name.lower())
        folders.append(root / name)
    return folders
