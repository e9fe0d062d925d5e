"""Polygons of meshes: their triangles cover them and nothing else, also where they are bent inwards."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pointad.scans.files import read_scan
from pointad.scans.meshes import triangle_areas
from pointad.scans.polygons import fans

ANGLE = ((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2))  # an L, of area 3
COMB = ((0, 0), (5, 0), (5, 2), (4, 2), (4, 1), (3, 1), (3, 2), (2, 2), (2, 1), (1, 1), (1, 2), (0, 2))
TILTED = np.array([[1.0, 0.2, 0.3], [-0.1, 1.0, 0.5]])


def obj(outline: tuple[tuple[int, int], ...], first: int) -> str:
    vertices = "".join(f"v {x} {y} 0\n" for x, y in outline)
    return vertices + "f " + " ".join(str((first + place) % len(outline) + 1) for place in range(len(outline)))


def ply(outline: tuple[tuple[int, int], ...], first: int) -> str:
    corners = " ".join(str((first + place) % len(outline)) for place in range(len(outline)))
    return (
        f"ply\nformat ascii 1.0\nelement face 1\nproperty list uchar int vertex_indices\n"
        f"element vertex {len(outline)}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
        f"{len(outline)} {corners}\n" + "".join(f"{x} {y} 0\n" for x, y in outline)
    )


@pytest.mark.parametrize("first", range(len(ANGLE)))
@pytest.mark.parametrize(("ending", "write"), [("obj", obj), ("ply", ply)])
def test_no_point_lies_outside_of_a_polygon_that_is_bent_inwards(
    ending: str,
    write: Callable[[tuple[tuple[int, int], ...], int], str],
    first: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / f"angle.{ending}"
    path.write_text(write(ANGLE, first))
    points = read_scan(path).points
    assert not ((points[:, :2] > 1.0001).all(axis=1)).any()
    assert np.isclose((points[:, 0] > 1).mean(), 1 / 3, atol=0.01)
    assert not caplog.messages


@pytest.mark.parametrize("turned", range(4))
def test_concave_quads_are_cut_at_the_corner_that_is_bent_inwards(turned: int) -> None:
    corners = np.roll([0, 1, 2, 3], turned)
    vertices = np.array([[0.0, 0], [2, 1], [0, 2], [1, 1]]) @ TILTED
    triangles = fans(corners, np.array([4]), vertices, Path("a.obj"))
    whole = np.linalg.norm(np.cross(*TILTED))
    assert np.isclose(triangle_areas(vertices, triangles).sum(), whole)


def test_other_polygons_are_cut_around_their_first_corner() -> None:
    rng = np.random.default_rng(0)
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]) @ TILTED
    bent = square + 0.1 * rng.normal(size=square.shape)
    for vertices in (square, bent, square * 1e-200, square * np.nan):
        assert fans(np.arange(4), np.array([4]), vertices, Path("a.obj")).tolist() == [[0, 1, 2], [0, 2, 3]]


def test_polygons_that_no_fan_covers_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "comb.obj"
    path.write_text(obj(COMB, 0))
    read_scan(path)
    assert caplog.messages == [
        f"{path}: 1 of 1 polygons are bent inwards so that their triangles also cover what is outside of them; "
        "export triangles"
    ]


class Counted(np.ndarray):
    """An array that counts the numbers that operations on it look at."""

    looked_at = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> object:
        plain = [np.asarray(one) if isinstance(one, Counted) else one for one in inputs]
        Counted.looked_at += sum(one.size for one in inputs if isinstance(one, Counted))
        return getattr(ufunc, method)(*plain, **options)


def test_lengths_are_not_searched_for_each_different_one() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.permutation([*range(1, 300), *[3] * 20_000])
    counted = lengths.view(Counted)
    triangles = fans(np.arange(lengths.sum()), counted, np.zeros((0, 3)), Path("a.ply"))
    assert len(triangles) == (lengths[lengths > 2] - 2).sum()
    assert Counted.looked_at < 10 * len(lengths)
    first = lengths.tolist().index(5)
    start = lengths[:first].sum()
    assert [start, start + 3, start + 4] in triangles.tolist()


def test_all_polygons_together_are_turned_within_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def look(polygons: np.ndarray, vertices: np.ndarray) -> np.ndarray:
        looked_at.append(polygons.size)
        return np.ones(len(polygons), bool)

    monkeypatch.setattr("pointad.scans.polygons._folded", look)
    monkeypatch.setattr("pointad.scans.polygons._MOST_TURNED", 1000)
    lengths = np.arange(4, 100)
    fans(np.zeros(lengths.sum(), int), lengths, np.zeros((1, 3)), Path("a.ply"))
    assert sum(looked_at) <= lengths.sum() + 1000
