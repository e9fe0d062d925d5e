"""Texts of missing numbers are read in memory in proportion to their size, piece by piece, to the same table."""

import tracemalloc

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans import text_cells
from pointad.scans.text import parse_table

FILLED = b"1,2,3\n" * 100


@pytest.mark.parametrize("hole", [b",,\n", b"NA,NA,NA\n", b"-,-,-\n"])
def test_cells_without_numbers_take_memory_in_proportion(hole: bytes) -> None:
    content = FILLED + hole * (2**21 // len(hole))
    tracemalloc.start()
    try:
        values = parse_table(content, "holes.csv").values
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(values) == 100 + 2**21 // len(hole) and np.isnan(values[100:]).all()
    assert peak < 100e6  # all at once, it was 130 to 380 MB


def test_endless_lines_of_nothing_are_refused() -> None:
    with pytest.raises(InputError, match=r"holes\.csv: is not a table of numbers \(a line has more than 1048576 "):
        parse_table(FILLED + b"," * 2**21, "holes.csv")


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b" "])
def test_pieces_make_no_difference(separator: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(4)
    cells = [b"1.5", b"2D+00", b"-3", b"NA", b"-", b"nan", b'"null"', *([] if separator == b" " else [b"", b"  "])]
    lines = [separator.join(generator.choice(np.array(cells, dtype=object), 4)) for _ in range(300)]
    lines[::7] = [b"" if place % 2 else b"   " for place in range(len(lines[::7]))]
    content = separator.join([b"7", b"8", b"9", b"10"]) + b"\n" + b"\n".join(lines)
    expected = parse_table(content, "table.csv").values
    monkeypatch.setattr(text_cells, "PIECE", 64)
    np.testing.assert_array_equal(parse_table(content, "table.csv").values, expected)
