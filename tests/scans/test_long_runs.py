"""Long runs of one character: patterns that try all parts of them would take hours."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from dialects.base import POINTS

from pointad.errors import InputError
from pointad.scans import header_names
from pointad.scans.files import read_scan
from pointad.scans.named_columns import NamedColumns, find_columns
from pointad.scans.point_labels import read_labels

MANY = 300_000
ROWS = "".join(f"{x},{y},{z}\n" for x, y, z in POINTS.tolist())

READ = {
    "blanks in a name": ("a.csv", f"x{' ' * MANY}a,y,z\n{ROWS}"),
    "blanks in a row, below a comment": ("a.xyz", f"# c\n{ROWS.replace(',', ' ')}1{' ' * MANY}2 3\n"),
    "tabs in a row, below a comment": ("a.xyz", "# c\n" + ROWS.replace(",", " ") + "1" + "\t" * MANY + "2 3\n"),
    "blanks beside a missing number": ("a.csv", f"x,y,z\n{ROWS}1,{' ' * MANY}2,n/a\n"),
    "no-break spaces beside a missing number": ("a.csv", f"x,y,z\n{ROWS}1,{chr(160) * MANY}2,n/a\n"),
}


@pytest.mark.parametrize("name", READ)
def test_scans(name: str, tmp_path: Path) -> None:
    file, text = READ[name]
    (tmp_path / file).write_text(text)
    found = read_scan(tmp_path / file).points
    assert len(found) == len(POINTS) + ("row" in name or "missing" in name)
    np.testing.assert_allclose(found[: len(POINTS)], POINTS)


def test_digits_that_are_no_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"x,y,z\n{'1' * (MANY // 2)}x,2,3\n{ROWS}")
    with pytest.raises(InputError, match="begins with a row that is not all numbers"):
        read_scan(tmp_path / "a.csv")


@pytest.mark.parametrize("sign", ["- ", "-,", "-;", "--\t"])
def test_a_line_of_dashes_that_does_not_end_in_one(sign: str, tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text(f"x y z\n{sign * MANY}1\n{ROWS.replace(',', ' ')}")
    with pytest.raises(InputError, match=r"a\.xyz: "):
        read_scan(tmp_path / "a.xyz")


def test_attributes_of_metadata_that_end_nowhere(tmp_path: Path) -> None:
    text = '<GDALMetadata><Item name="scale"' + 'name="scale"' * 8_000
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        for page in range(100):
            row = np.full((1, 50, 3), page, np.float32) + np.arange(50)[None, :, None]
            tags = [(42112, 2, len(text) + 1, text, True)]
            writer.write(row, photometric="rgb", planarconfig="contig", metadata=None, extratags=tags)
    assert read_scan(tmp_path / "a.tiff").points.shape == (100, 50, 3)


def test_quotation_marks_between_blanks(tmp_path: Path) -> None:
    rows = ROWS.replace("\n", ",n/a\n") + "1" + ' "' * MANY + "x,2,3,n/a\n"
    (tmp_path / "a.csv").write_text(f"x,y,z,extra\n{rows}")
    with pytest.raises(InputError, match="is not a table of numbers"):
        read_scan(tmp_path / "a.csv")


def test_much_text_above_the_rows(tmp_path: Path) -> None:
    for above in ("a " * 150_000, "# a title\n" * 500 + "," * 200_000, ("mm " * 20_000 + "\n") * 4):
        (tmp_path / "a.xyz").write_text(f"{above}\n{ROWS.replace(',', ' ')}")
        with pytest.raises(InputError, match="more than 200000 characters in the lines above its first row"):
            read_scan(tmp_path / "a.xyz")


def test_a_long_line_of_names_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(names: tuple[str, ...]) -> NamedColumns:
        asked.append(names)
        return find_columns(names)

    monkeypatch.setattr(header_names, "find_columns", counted)
    header_names.names_coordinates.cache_clear()
    (tmp_path / "a.xyz").write_text("x y z one more\n" + "a b c\n" * 300 + ROWS.replace(",", " "))
    assert len(read_scan(tmp_path / "a.xyz").points) == len(POINTS)
    assert sum("one" in names for names in asked) < 20


@pytest.mark.parametrize("line", ["", "# c", "  "])
def test_lines_that_are_repeated_above_the_rows_are_looked_at_once(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []
    original = header_names.without_comment_sign
    monkeypatch.setattr(header_names, "without_comment_sign", lambda one: looked_at.append(one) or original(one))
    (tmp_path / "a.xyz").write_text(f"{line}\n" * MANY + ROWS.replace(",", " "))
    assert len(read_scan(tmp_path / "a.xyz").points) == len(POINTS)
    assert len(looked_at) < 20


def test_labels_with_blanks_between(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1,0  " * 60 + "x")
    with pytest.raises(InputError, match="is not a list of labels"):
        read_labels(tmp_path / "a.txt")


@pytest.mark.parametrize("text", ["1,0\n0,0\n1,0", " 1,00\t\n0,0 \n1,0\n"])
def test_labels_with_decimal_commas(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.txt"), [1, 0, 1])
