"""Only the whole of a published data set bears its name."""

import pytest

from pointad.datasets.registry import DATASETS
from pointad.evaluation.data_title import data_title, own_title

MVTEC = DATASETS["mvtec_pc_3d_rgb"]


def test_titles() -> None:
    assert data_title(MVTEC, MVTEC.classes, "/data/anything") == "MVTec 3D-AD"
    assert data_title(MVTEC, MVTEC.classes, "/data/anything", 1197) == "MVTec 3D-AD"
    few = "anything (10 of 10 class names of MVTec 3D-AD, 26 samples instead of 1197)"
    assert data_title(MVTEC, MVTEC.classes, "/data/anything", 26) == few
    assert data_title(MVTEC, MVTEC.classes[:2], "/data/anything") == "anything (2 of 10 class names of MVTec 3D-AD)"
    assert data_title(MVTEC, ["bagel", "spool"], "/scans/spools") == "spools"
    assert data_title(MVTEC, [], "/scans/spools") == "spools"


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        ("/scans/spools/rendered", "spools"),
        ("rendered", "own data"),
        (None, "own data"),
        ("/", "own data"),
        ("a/data/", "a"),
    ],
)
def test_folders_that_say_nothing_are_passed_over(folder: str | None, title: str) -> None:
    assert own_title(folder) == title


def test_data_in_a_format_without_listed_classes_are_called_as_their_folder() -> None:
    """They may be of the published data set or not."""
    minishift = DATASETS["minishift_pc_3d"]
    assert data_title(minishift, ["capsule"], "/data/balls/rendered") == "balls"
    assert data_title(minishift, ["capsule", "nut"], "/data/MiniShift") == "MiniShift"
    assert data_title(minishift, ["capsule"], "/data/3D-ADAM") == "3D-ADAM (own data)"
    assert data_title(MVTEC, ["gear"], "/data/MiniShift") == "MiniShift (own data)"
    assert data_title(DATASETS["folder"], ["bolt"], "/data/bolts/rendered") == "bolts"


@pytest.mark.parametrize("name", ["MVTec 3D-AD", "mvtec_3d_ad", "MVTec3D-AD", "Ｅyecandies", "real3d-ad"])
def test_own_data_in_a_folder_called_like_published_ones_are_told_apart(name: str) -> None:
    assert data_title(DATASETS["folder"], ["bolt"], f"/data/{name}/rendered") == f"{name} (own data)"
    assert data_title(MVTEC, ["bagel", "spool"], f"/data/{name}") == f"{name} (own data)"
    assert data_title(MVTEC, MVTEC.classes, f"/data/{name}") == "MVTec 3D-AD"
