"""Texts of missing numbers are read in memory in proportion to their size, piece by piece, to the same table."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pointad.errors import InputError
from pointad.scans import text_cells
from pointad.scans.files import read_scan
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


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.xyz", b"#\n"),
        ("a.xyz", b"1 2 3#\n"),
        ("a.xyz", b'"1" "2" 3\n'),
        ("a.xyz", b"1.#INF 2 3\n"),
        ("a.obj", b"#\n"),
        ("a.obj", b"f 1/1 2/2 3/3\n"),
        ("a.ply", b"\n"),
    ],
)
def test_replaced_parts_take_memory_in_proportion(
    name: str, line: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_cells, "PIECE", 2**13)
    beginning = {
        "a.xyz": b"1 2 3.5\n" * 100,
        "a.obj": b"v 1 2 3\nv 2 3 5\nv 7 8 4\n" * 40,
        "a.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
        b"property float z\nend_header\n",
    }[name]
    path = tmp_path / name
    path.write_bytes(beginning + line * (2**18 // len(line)) + (b"1 2 3\n" if name == "a.ply" else b""))
    tracemalloc.start()
    try:
        read_scan(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6  # all at once, it was 6 to 24 MB


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
