"""Only the whole of a published data set bears its name."""

import pytest

from pointad.datasets.registry import DATASETS
from pointad.evaluation.data_title import data_title, own_title

MVTEC = DATASETS["mvtec_pc_3d_rgb"]


def test_titles() -> None:
    assert data_title(MVTEC, MVTEC.classes, "/data/anything") == "MVTec 3D-AD"
    assert data_title(MVTEC, MVTEC.classes[:2], "/data/anything") == "MVTec 3D-AD (2 of 10 classes)"
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
