"""What records say that data are called: a training takes one class, but the title is that of the whole data."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pointad.commands import run_records
from pointad.data.metadata import read_metadata
from pointad.datasets.registry import DATASETS

REAL3D = DATASETS["real_pc_3d_rgb"]


def entry(class_name: str) -> dict[str, Any]:
    folder = f"{class_name}/test/good"
    places = {"d2_render_img_path": "2d_rendering", "d2_render_gt_path": "2d_gt", "d2_corrdinate": "2d_3d_cor"}
    paths = {key: f"{folder}/{name}/0" for key, name in places.items()}
    return {"cls_name": class_name, "specie_name": "good", "anomaly": 0, **paths}


@pytest.mark.parametrize(
    ("classes", "title"),
    [
        (REAL3D.classes, "Real3D-AD"),
        (("car", "duck"), "toys (2 of 12 class names of Real3D-AD)"),
        (("car", "duck", "gear"), "toys"),
    ],
)
def test_the_other_classes_count(classes: tuple[str, ...], title: str, tmp_path: Path) -> None:
    root = tmp_path / "toys"
    root.mkdir()
    (root / "all_meta.json").write_text(json.dumps({"test": {name: [entry(name)] for name in classes}}))
    (root / "car_meta.json").write_text(json.dumps({"test": {"car": [entry("car")]}}))
    data: Any = SimpleNamespace(dataset=REAL3D, folder=root, render="stored", is_demo=False)
    assert run_records._title(data, read_metadata(root, "car")) == title
    assert run_records._title(data, read_metadata(root)) == title
    (root / "all_meta.json").write_text("{")
    assert run_records._title(data, read_metadata(root, "car")) == "toys (1 of 12 class names of Real3D-AD)"


@pytest.mark.parametrize("given", [".", "../toys", "{root}", "sub/..", "rendered", "./rendered/.", "{root}/rendered/"])
def test_a_folder_has_one_name_however_it_is_given(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "toys"
    (root / "rendered").mkdir(parents=True)
    (root / "sub").mkdir()
    monkeypatch.chdir(root)
    folder = Path(given.format(root=root))
    data: Any = SimpleNamespace(dataset=REAL3D, folder=folder, render="stored", is_demo=False)
    assert run_records._title(data, [named("gear")]) == "toys"


@pytest.mark.parametrize(("name", "title"), [("gear", "demo data (Real3D-AD format)"), ("bolt", "mine")])
def test_own_data_beside_those_of_the_demo_are_not_called_so(name: str, title: str) -> None:
    data: Any = SimpleNamespace(dataset=REAL3D, folder=Path("data/demo/mine"), render="stored", is_demo=True)
    assert run_records._title(data, [named("leaf"), named(name)]) == title


@pytest.mark.parametrize(
    ("given", "found", "title"),
    [
        (None, "toys", "toys"),
        ("screws", "toys", "screws"),
        ("Real3D-AD", "Real3D-AD", "Real3D-AD"),
        ("Real3D-AD", "toys", "Real3D-AD (own data)"),
        ("MVTec 3D-AD", "Real3D-AD", "MVTec 3D-AD (own data)"),
    ],
)
def test_the_title_of_a_published_data_set_is_not_given_to_others(given: str | None, found: str, title: str) -> None:
    data: Any = SimpleNamespace(dataset=REAL3D)
    assert run_records._named_title(given, found, data) == title


def named(class_name: str) -> Any:
    return SimpleNamespace(class_name=class_name)
