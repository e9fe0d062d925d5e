"""What a folder of demo data was generated with, stored beside its classes, so that different settings are never mixed.

Scans of another seed have the same names, and those beyond a smaller number stay where they are: without the record,
nothing would tell the mixture from a data set.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pointad.errors import InputError
from pointad.files.atomic import make_folder
from pointad.files.existing import is_beside
from pointad.files.json_files import read_json, write_json
from pointad.files.locks import wait_for_lock
from pointad.files.regular import refuse_leaving

RECORD_NAME = "demo_data.json"
_LOCK_NAME = ".demo_data.lock"
_REMEDY = "generate into another folder, or remove this one first"


@dataclass(frozen=True)
class Generation:
    """Everything that the scans of a class depend on, besides its name."""

    format: str  # of the raw data set, see scripts/make_demo_data.py
    seed: int
    good: int | None  # good scans of each class in the test split; None: the format's own number


def agree_on_generation(root: Path, wanted: Generation, classes: Sequence[str]) -> None:
    """Store what a folder is to be generated with, or check that it is what is stored there already.

    Args:
        root: the demo data's folder, which is created if it is missing.
        wanted: what is to be generated there.
        classes: names of all classes that there are.

    Raises:
        InputError: the folder was generated with something else, has a class of which nothing says that it was
            generated, or its record cannot be read or written.
    """
    make_folder(root)
    path = root / RECORD_NAME
    with wait_for_lock(root / _LOCK_NAME):
        if is_beside(path):
            _compare(path, asdict(wanted))
            return
        there = next((name for name in classes if (root / name).is_dir()), None)
        if there is not None:  # scans of somebody else may be called like those that would replace them
            raise InputError(root / there, f"exists, and no {RECORD_NAME} beside it says that it is generated", _REMEDY)
        write_json(path, asdict(wanted))


def file_of_class(root: Path, class_name: str, *below: str) -> Path:
    """Where a file of a class is written; classes may be links, as of data on several disks, folders below them not.

    Raises:
        InputError: a link leads out of the class's folder.
    """
    path = (root / class_name).joinpath(*below)
    refuse_leaving(root / class_name, path)
    return path


def _compare(path: Path, wanted: dict[str, object]) -> None:
    found = read_json(path, _REMEDY)
    if not isinstance(found, dict):
        raise InputError(path, "does not say what the folder was generated with", _REMEDY)
    differences = [
        f"--{name} was {str(found.get(name))[:80]}, now {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if differences:
        raise InputError(path.parent, f"was generated with other settings ({'; '.join(differences)})", _REMEDY)
