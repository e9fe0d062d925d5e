"""A list of a few megabytes may have a hundred thousand classes: what is done per class may not look at all samples."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pointad.data import listing
from pointad.data.picture_presence import with_pictures_of_whole_classes
from pointad.datasets import archive
from pointad.datasets.archive import class_folders, class_folders_if_any
from pointad.datasets.sample_table import read_sample_table
from pointad.evaluation.label_leaks import LabelLeakCheck
from pointad.evaluation.scored_sample import ScoredSample
from pointad.reference.good_draws import members_by_class
from pointad.scans.point_cloud import RawSample

PICTURE = Path("a.png")


def samples(classes: int) -> list[RawSample]:
    return [
        RawSample("folder", f"class {number}", "good", str(copy), 0, Path("a.ply"), picture)
        for number in range(classes)
        for copy, picture in ((0, PICTURE), (1, PICTURE if number else None))
    ]


def test_pictures_of_whole_classes(caplog: pytest.LogCaptureFixture) -> None:
    found = with_pictures_of_whole_classes(samples(50_000), Path("data"))
    assert [sample.rgb_path for sample in found] == [None, None] + [PICTURE] * 99_998
    assert caplog.messages == [
        "data: 1 of 2 samples of class class 0 have no RGB picture, so none of the class is used"
    ]


def test_members() -> None:
    members = members_by_class(samples(50_000), 100_000)
    assert len(members) == 50_000 and members["class 7"].tested == members["class 7"].good == (14, 15)


class Compared(str):
    """A name that counts how often such names are compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Compared.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def compared_names(count: int) -> Iterator[Compared]:
    Compared.compared = 0
    return (Compared(f"name {number}") for number in range(count))


@pytest.mark.parametrize("list_folders", [class_folders, class_folders_if_any])
def test_folders_of_classes(list_folders: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = list(compared_names(1000))
    present = [type("Folder", (), {"name": name})() for name in names]
    monkeypatch.setattr(archive, "folders_with", lambda *_: present)
    monkeypatch.setattr(archive, "_tell_empty", lambda folder: None)
    wanted = [*compared_names(1000)][::-2]
    found = list_folders(tmp_path, "test", ("name 5", "none"), wanted)  # type: ignore[operator]
    assert [folder.name for folder in found] == ["name 5", *(name for name in names[1::2] if name != "name 5")]
    assert Compared.compared < 20 * len(names)


def test_kinds_of_defects_are_counted_at_once() -> None:
    names = compared_names(1000)
    entries = {"class": [{"specie_name": name} for name in names for _ in range(2)]}
    assert set(listing._count(entries)["class"].values()) == {2}
    assert Compared.compared < 10 * 1000


def test_label_leaks() -> None:
    check = LabelLeakCheck([], organized=True)
    valid = np.ones((2, 2), bool)
    maps = {"view_maps": None, "view_scores": np.zeros(0), "views": None, "color": None, "mask": valid, "valid": valid}
    for class_name in compared_names(500):
        sample = ScoredSample("", class_name, "good", "0", 0, scores={}, maps={}, **maps)  # type: ignore[arg-type]
        check._source_of[class_name, "good", "0"] = sample  # type: ignore[assignment]
        check.add(sample)
    assert len(check.findings()) == 500
    assert Compared.compared < 20 * 500


def test_columns_without_names_are_not_looked_at_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("scan,species" + "," * 50_000 + "id\n" + "".join(f"{k}.ply,good\n" for k in range(20_000)))
    rows = read_sample_table(path)
    assert len(rows) == 20_000 and rows[7] == {"scan": "7.ply", "species": "good", "id": ""}
