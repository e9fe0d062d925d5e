"""The data sets by name. Classes and protocol of the first three: PointAD, section 4.1."""

from pointad.datasets import adam, eyecandies, folder, minishift, mulsen, mvtec3d, real3d, realiad, shapenet
from pointad.datasets.base import DatasetSpecification
from pointad.errors import InputError

DATASETS: dict[str, DatasetSpecification] = {
    dataset.name: dataset
    for dataset in (
        mvtec3d.MVTEC3D,
        eyecandies.EYECANDIES,
        real3d.REAL3D,
        shapenet.SHAPENET,
        adam.ADAM,
        mulsen.MULSEN,
        minishift.MINISHIFT,
        realiad.REALIAD,
        folder.FOLDER,
    )
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
