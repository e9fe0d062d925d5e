"""Rows of `samples.csv` that were cut off: their scans moved to another class or split without a word."""

from pathlib import Path

import pytest

from pointad.datasets.sample_table import read_sample_table
from pointad.errors import InputError

NAMES = "scan,species,mask,class,split\n"
WHOLE = "a.tiff,good,,brick,test\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("b.tiff,good", r"the row of 'b.tiff' ends before its class"),
        ("b.tiff,good,,brick", r"the row of 'b.tiff' ends before its split"),
        ("b.tiff,good,,,test", r"has no class in line 3"),
    ],
)
def test_rows_that_lack_their_class_or_split(row: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text(f"{NAMES}{WHOLE}{row}\n")
    with pytest.raises(InputError, match=said):
        read_sample_table(path)


def test_what_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text(f"{NAMES}{WHOLE}b.tiff,good,,brick,\n")
    assert [row["split"] for row in read_sample_table(path)] == ["test", ""]
    path.write_text("scan,species,class,mask\na.tiff,good,brick\nb.tiff,dent,brick,m.png\n")
    assert [row["mask"] for row in read_sample_table(path)] == ["", "m.png"]
    path.write_text(f"{NAMES}a.tiff,good,,,test\n")
    assert [row["class"] for row in read_sample_table(path)] == [""]
