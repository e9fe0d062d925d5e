"""What the pipeline must know about each data set: its classes, and what a sample of it has."""

from dataclasses import dataclass

from pointad.errors import InputError


@dataclass(frozen=True)
class DatasetSpecification:
    """One data set of the paper."""

    name: str  # as on the command line
    title: str  # as in the tables
    classes: tuple[str, ...]  # in the order of the tables; a data set on disk may hold others
    training_classes: tuple[str, ...]  # the three classes that the one-vs-rest protocol trains on in turn
    has_color: bool  # samples come with an RGB picture
    organized: bool  # scans lie on a pixel grid
    reports_aupro: bool


DATASETS: dict[str, DatasetSpecification] = {
    dataset.name: dataset
    for dataset in (
        DatasetSpecification(
            name="mvtec_pc_3d_rgb",
            title="MVTec 3D-AD",
            classes=(
                "bagel",
                "cable_gland",
                "carrot",
                "cookie",
                "dowel",
                "foam",
                "peach",
                "potato",
                "rope",
                "tire",
            ),
            training_classes=("carrot", "cookie", "dowel"),
            has_color=True,
            organized=True,
            reports_aupro=True,
        ),
        DatasetSpecification(
            name="eye_pc_3d_rgb",
            title="Eyecandies",
            classes=(
                "CandyCane",
                "ChocolateCookie",
                "ChocolatePraline",
                "Confetto",
                "GummyBear",
                "HazelnutTruffle",
                "LicoriceSandwich",
                "Lollipop",
                "Marshmallow",
                "PeppermintCandy",
            ),
            training_classes=("Confetto", "LicoriceSandwich", "PeppermintCandy"),
            has_color=True,
            organized=True,
            reports_aupro=True,
        ),
        DatasetSpecification(
            name="real_pc_3d_rgb",
            title="Real3D-AD",
            classes=(
                "airplane",
                "candybar",
                "car",
                "chicken",
                "diamond",
                "duck",
                "fish",
                "gemstone",
                "seahorse",
                "shell",
                "starfish",
                "toffees",
            ),
            training_classes=("seahorse", "shell", "starfish"),
            has_color=False,
            organized=False,
            reports_aupro=False,
        ),
    )
}
"""The data sets by name. Classes and protocol: PointAD, section 4.1."""


def specification(name: str) -> DatasetSpecification:
    """Return the data set called `name`.

    Raises:
        InputError: there is no such data set; the message lists those that exist.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise InputError(name, "is not a known data set", f"choose one of {', '.join(DATASETS)}") from None
