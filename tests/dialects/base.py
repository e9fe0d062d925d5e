"""The cloud that every dialect's file holds, and how a case says what must be read from it."""

from dataclasses import dataclass, field

import numpy as np

COUNT = 400
_RNG = np.random.default_rng(21)


def _cloud() -> np.ndarray:
    directions = _RNG.normal(size=(COUNT, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = np.round(directions * [30.0, 20.0, 10.0] + [4.0, -7.0, 2.0], 3)
    points[points == 0] = 0.001
    return points


POINTS = _cloud()  # (400, 3) with three decimals, both signs, all different
COLORS = _RNG.integers(0, 256, (COUNT, 3)).astype(np.uint8)
COLORS[0] = 255  # so that nobody takes them for 0 to 1
NORMALS = (POINTS - [4.0, -7.0, 2.0]) / [900, 400, 100]
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)
ROWS, COLUMNS = 20, 24


def _grid() -> np.ndarray:
    """An organized scan whose axes differ, without holes, (20, 24, 3)."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    depth = 400 - 6 * np.exp(-((rows - 9) ** 2 + (columns - 13) ** 2) / 20)
    return np.stack([columns * 2.0 - 23, rows * 1.5 - 14, depth], axis=-1)


GRID = _grid()
GRID_COLORS = _RNG.integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8)
GRID_COLORS[0, 0] = 255


@dataclass(frozen=True)
class Dialect:
    """A file's content and what reading it must give."""

    suffix: str
    content: bytes
    points: np.ndarray = field(default_factory=lambda: POINTS)  # nan where a hole is expected
    colors: np.ndarray | None = None
    log: str = ""  # what the log must say

    def __repr__(self) -> str:  # the content makes no good name of a test
        return f"Dialect({self.suffix})"


def lines(rows: list[str], header: str = "", end: str = "\n") -> bytes:
    """Text of a header and rows."""
    return end.join([*([header] if header else []), *rows, ""]).encode()


def rows(*columns: np.ndarray, separator: str = " ", comma: bool = False, form: str = "%.3f") -> list[str]:
    """Rows of columns side by side; whole numbers without a decimal sign."""
    table = [
        [str(value) if values.dtype.kind in "iu" else form % value for values in columns for value in values[row]]
        for row in range(len(columns[0]))
    ]
    text = [separator.join(cells) for cells in table]
    return [line.replace(".", ",") for line in text] if comma else text


def with_holes(places: list[int], points: np.ndarray = POINTS) -> np.ndarray:
    """A copy with nan at these points."""
    copy = points.copy()
    copy.reshape(-1, 3)[places] = np.nan
    return copy
