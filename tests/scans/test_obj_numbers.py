"""What is behind the coordinates of an OBJ file's vertices, and vertices and faces over several lines."""

from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan

POINTS = np.random.default_rng(0).normal(size=(150, 3)).round(3)
COLORS = np.random.default_rng(1).integers(0, 256, (150, 3))
ONES = np.ones((150, 1))
BEHIND = {
    "colours": COLORS,
    "colours to 1": COLORS / 255,
    "alpha": np.hstack([COLORS, 255 * ONES]),
    "alpha that varies": np.hstack([COLORS, COLORS[:, ::-1][:, :1]]),
    "alpha to 1 that varies": np.hstack([COLORS, COLORS[:, ::-1][:, :1]]) / 255,
    "a weight": np.hstack([ONES, COLORS / 255]),
    "a weight and alpha": np.hstack([ONES, COLORS / 255, ONES]),
    "weights and alpha": np.hstack([COLORS[:, :1] / 100, COLORS / 255, COLORS[:, :1] / 255]),
}


def vertices(behind: np.ndarray) -> str:
    return "".join("v " + " ".join(f"{number:g}" for number in row) + "\n" for row in np.hstack([POINTS, behind]))


@pytest.mark.parametrize("name", BEHIND)
def test_colours(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.obj").write_text(vertices(BEHIND[name]))
    scan = read_scan(tmp_path / "a.obj")
    np.testing.assert_allclose(scan.points, POINTS)
    np.testing.assert_array_equal(scan.colors, COLORS)
    assert not caplog.records


def test_grey_with_alpha(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(vertices(np.hstack([128 * ONES] * 3 + [255 * ONES])))
    scan = read_scan(tmp_path / "a.obj")
    assert scan.colors is not None and (scan.colors == 128).all()


def test_red_or_a_weight_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.obj").write_text(vertices(np.hstack([ONES, COLORS[:, :2] / 255, ONES])))
    read_scan(tmp_path / "a.obj")
    assert "is read as a weight, not as red" in caplog.text


def test_backslashes_right_behind_the_keyword(tmp_path: Path) -> None:
    side = np.arange(12.0)
    grid = [(x, y, 0.1 * x * y) for y in side for x in side]
    first = [row * 12 + column + 1 for row in range(11) for column in range(11)]
    content = "".join(f"v {x} {y} {z}\n" for x, y, z in grid)
    content += "".join(f"f {corner} {corner + 1} {corner + 13} {corner + 12}\n" for corner in first)
    (tmp_path / "a.obj").write_text(content)
    (tmp_path / "b.obj").write_text(content.replace(" ", "\\\n "))
    whole, broken = read_scan(tmp_path / "a.obj"), read_scan(tmp_path / "b.obj")
    assert whole.is_mesh and broken.is_mesh
    np.testing.assert_array_equal(whole.points, broken.points)
