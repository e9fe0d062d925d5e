"""Words, or digits grouped within quotes, in place of coordinates: refused, and no other column takes their place."""

from pathlib import Path

import numpy as np
import pytest
from dialects.base import COLORS, COUNT, POINTS, lines, rows

from pointad.errors import InputError
from pointad.scans.files import read_scan

NUMBERS = np.arange(COUNT)[:, None]
WITHOUT_Z = rows(POINTS[:, :2], separator=",")
GROUPED = [
    f'"{x + 4000:,.2f}","{y + 5000:,.2f}",{z:.2f},{r},{g},{b}'
    for (x, y, z), (r, g, b) in zip(POINTS, COLORS, strict=True)
]
REFUSED = {
    "marked in the first row": (
        lines([f"{row},{n if n % 7 else 'NoData'},{n}" for n, row in enumerate(WITHOUT_Z)], "x,y,z,i"),
        "has words or nothing in place of numbers in the column 'z'",
    ),
    "a column without numbers": (
        lines([f"{row},,{n},7" for n, row in enumerate(WITHOUT_Z)], "x,y,z,i,j"),
        "has words or nothing in place of numbers in the column 'z'",
    ),
    "thousands within quotes": (lines(GROUPED, "X,Y,Z,R,G,B"), "in place of numbers in the column 'X'"),
    "words and other names": (
        lines([f"{n},{row},1,CP" for n, row in enumerate(WITHOUT_Z)], "Point,Northing,Easting,Elevation,Code"),
        "and no line that names x, y, z",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_other_column_is_taken(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]
    path = tmp_path / "scan.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_scan(path)


def test_blanks_beside_tabs_separate(tmp_path: Path) -> None:
    path = tmp_path / "scan.txt"
    path.write_bytes(lines([row.replace(" ", "\t", 1) for row in rows(POINTS)]))
    np.testing.assert_allclose(read_scan(path).points, POINTS)
