"""Arrays in an `.npz` beside the points: those that could count are told."""

import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
from dialects.base import COUNT, GRID, POINTS

from pointad.errors import InputError
from pointad.scans.files import read_scan

BESIDE = {
    "pts": ({"points": POINTS, "pts": POINTS + 1}, "the array 'pts' holds points too, but is not read"),
    "Points": ({"points": POINTS, "XYZ": POINTS + 1}, "the array 'XYZ' holds points too"),
    "valid": ({"points": GRID, "valid": GRID[..., 2] > 398}, "the array 'valid' is not read: all points take part"),
    "mask": ({"xyz": POINTS, "mask": POINTS[:, 0] > 0}, "the array 'mask' is not read"),
    "offset": (
        {"points": POINTS, "offset": np.ones(3)},
        "the array 'offset' is not read: the points are taken as they",
    ),
    "Scale": ({"points": POINTS, "Scale": np.array(0.001)}, "the array 'Scale' is not read: the points are taken"),
    "many": (
        {"points": POINTS, **{f"a{number}": np.ones(3) for number in range(40)}, "scale": np.ones((1, 3))},
        "the array 'scale' is not read: the points are taken",
    ),
    "pose": ({"points": POINTS, "pose": np.eye(4, dtype=np.float32)}, "the array 'pose' is not read: the points are"),
    "shift of each": ({"points": POINTS, "shift": POINTS[:, 0], "scale": np.array("mm")}, ""),
    "mask (N, 1)": ({"xyz": POINTS, "mask": POINTS[:, :1] > 0}, "the array 'mask' is not read"),
    "mask of a grid, flat": ({"xyz": GRID, "mask": (GRID[..., 2] > 398).ravel()}, "the array 'mask' is not read"),
    "planes": ({"points": POINTS, "xyz": POINTS.T + 1}, "the array 'xyz' holds points too"),
    "a batch": ({"points": POINTS, "pos": POINTS[None] + 1}, "the array 'pos' holds points too"),
    "with colours": ({"points": POINTS, "pos": np.hstack([POINTS, POINTS])}, "the array 'pos' holds points too"),
    "behind many": (
        {"points": POINTS, **{f"a{n}": np.zeros(2) for n in range(30)}, "mask": POINTS[:, 0] > 0},
        "the array 'mask' is not read",
    ),
    "labels": ({"points": POINTS, "labels": np.arange(COUNT), "name": np.array(""), "normals": POINTS}, ""),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_not_read(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arrays, said = BESIDE[name]
    np.savez(tmp_path / "a.npz", **arrays)
    with caplog.at_level(logging.WARNING):
        scan = read_scan(tmp_path / "a.npz")
    np.testing.assert_array_equal(scan.points, next(iter(arrays.values())))
    assert said in caplog.text if said else not caplog.records


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["points", "colors"])
def test_arrays_of_one_name_are_refused(name: str, tmp_path: Path) -> None:
    """Of those that were appended later, NumPy reads the last one."""
    path = tmp_path / "a.npz"
    np.savez(path, points=POINTS, colors=np.zeros((COUNT, 3), np.uint8))
    with zipfile.ZipFile(path, "a") as archive, archive.open(f"{name}.npy", "w") as file:
        np.save(file, POINTS + 1 if name == "points" else np.ones((COUNT, 3), np.uint8))
    with pytest.raises(InputError, match=rf"holds several members called {name}.npy"):
        read_scan(path)


def test_archives_one_after_the_other_are_refused(tmp_path: Path) -> None:
    """Of `cat a.npz b.npz`, Python reads the second one, and what reads from the beginning the first."""
    np.savez(tmp_path / "a.npz", points=POINTS)
    np.savez(tmp_path / "b.npz", points=POINTS + 1)
    path = tmp_path / "both.npz"
    path.write_bytes((tmp_path / "a.npz").read_bytes() + (tmp_path / "b.npz").read_bytes())
    with pytest.raises(InputError, match="it is two archives, one after the other"):
        read_scan(path)


@pytest.mark.parametrize("count", [COUNT, COUNT // 2])
def test_arrays_of_one_name_in_two_folders_are_refused(count: int, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{"left/points": POINTS, "right/points": POINTS[:count] + 1})
    with pytest.raises(InputError, match="it holds 'points' in several folders"):
        read_scan(path)


def test_a_scale_beside_three_arrays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    axes = dict(zip("xyz", POINTS.T, strict=True))
    np.savez(tmp_path / "a.npz", **axes, scale=np.array([1.0, 1.0, 0.1]), valid=POINTS[:, 0] > 0)
    np.testing.assert_array_equal(read_scan(tmp_path / "a.npz").points, POINTS)
    assert "the array 'scale' is not read: the points are taken" in caplog.text
    assert "the array 'valid' is not read: all points take part" in caplog.text


@pytest.mark.parametrize("scan", [POINTS.T, GRID.transpose(2, 0, 1), POINTS[None]])
def test_masks_beside_other_layouts(scan: np.ndarray, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.savez(tmp_path / "a.npz", xyz=scan, valid=np.arange(scan.size // 3) > 3)
    read_scan(tmp_path / "a.npz")
    assert "the array 'valid' is not read" in caplog.text


def test_masks_beside_three_arrays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    x, y, z = POINTS.T
    np.savez(tmp_path / "a.npz", x=x, y=y, z=z, valid=z > 398, points_seen=np.array(True))
    read_scan(tmp_path / "a.npz")
    assert [record.getMessage().partition("array ")[2][:7] for record in caplog.records] == ["'valid'"]
