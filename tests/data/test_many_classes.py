"""A list of a few megabytes may have a hundred thousand classes: what is done per class may not look at all samples."""

from pathlib import Path

import pytest

from pointad.data.picture_presence import with_pictures_of_whole_classes
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
