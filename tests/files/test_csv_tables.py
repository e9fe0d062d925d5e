"""CSV files with a header: what is read takes no more memory than the file suggests, and pipes are never opened."""

import csv
import os
from pathlib import Path

import pytest

from pointad.errors import InputError
from pointad.files.csv_tables import opened_table, read_table


def test_rows_are_read_by_the_names_of_the_columns(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text('\ufeffclass, id \n"a,b",1\n\nc, 2\n')
    names, rows = read_table(tmp_path / "table.csv")
    assert names == ["class", "id"] and rows == [{"class": "a,b", "id": "1"}, {"class": "c", "id": " 2"}]
    (tmp_path / "table.csv").write_text("")
    assert read_table(tmp_path / "table.csv") == ([], [])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_spreadsheets_write_in_place_of_commas(separator: str, tmp_path: Path) -> None:
    rows = [["class", "note"], ["a", "1,5"], ["", ""], ["b", ""]]
    (tmp_path / "table.csv").write_text("\r\n".join(map(separator.join, rows)))
    _, found = read_table(tmp_path / "table.csv")
    assert found == [{"class": "a", "note": "1,5"}, {"class": "b", "note": ""}]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_spreadsheets_call_unicode(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("class\tnote\r\na\tgrün\r\n".encode(encoding))
    assert read_table(tmp_path / "table.csv") == (["class", "note"], [{"class": "a", "note": "grün"}])


@pytest.mark.parametrize("row", ["a", "a,b,c,d"])
def test_rows_of_other_lengths_are_refused(row: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(f"x,y,z\n1,2,3\n{row}\n")
    with pytest.raises(csv.Error, match=r"row 2 has . cells for 3 columns"):
        read_table(tmp_path / "table.csv")


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("class,score,score\na,0.1,0.9\n")
    with pytest.raises(csv.Error, match="the column 'score' is repeated"):
        read_table(tmp_path / "table.csv")


def test_a_table_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"pipe\.csv: is a pipe"), opened_table(tmp_path / "pipe.csv"):
        pass
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)
