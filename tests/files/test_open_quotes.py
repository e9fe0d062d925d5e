"""Quotation marks of tables that are not closed, which would make one cell of all rows behind them."""

import csv
from pathlib import Path

import pytest

from pointad.data.raw import list_raw_samples
from pointad.errors import InputError
from pointad.files.csv_tables import read_table


@pytest.mark.parametrize("cells", ['b.ply,"chip,m.txt', 'b.ply,"chip"s,m.txt', '"b.ply,chip,m.txt'])
@pytest.mark.parametrize("further", ["", "c.ply,dent,n.txt\n"])
def test_no_row_is_lost(cells: str, further: str, tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text(f"scan,species,mask\na.ply,good,\n{cells}\n{further}")
    with pytest.raises(InputError, match=r"samples\.csv: is not a table of samples"):
        list_raw_samples("folder", tmp_path)
    with pytest.raises(csv.Error):
        read_table(tmp_path / "samples.csv")


def test_closed_ones_are_read(tmp_path: Path) -> None:
    (tmp_path / "samples.csv").write_text('scan, "species"\n"a ""x"", 1.ply", "good"\n5" b.ply,chip 6"\n')
    found = [(one.scan_path.name, one.species) for one in list_raw_samples("folder", tmp_path)]
    assert found == [('a "x", 1.ply', "good"), ('5" b.ply', 'chip 6"')]
