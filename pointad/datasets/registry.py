"""The data sets by name. Classes and protocol of the first three: PointAD, section 4.1."""

from pointad.datasets import eyecandies, mvtec3d, real3d
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError

DATASETS: dict[str, DatasetSpecification] = {
    dataset.name: dataset for dataset in (mvtec3d.MVTEC3D, eyecandies.EYECANDIES, real3d.REAL3D)
}


def specification(name: str) -> DatasetSpecification:
    """Return the data set called `name`.

    Raises:
        InputError: there is no such data set; the message lists those that exist.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise InputError(name, "is not a known data set", f"choose one of {', '.join(DATASETS)}") from None
