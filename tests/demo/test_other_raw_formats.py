"""The demo objects as Eyecandies and Real3D-AD archives: what is written is what the readers find."""

from pathlib import Path

import numpy as np
import pytest

from pointad.data.raw import list_raw_samples, load_raw_sample
from pointad.datasets.eyecandies import read_points
from pointad.demo import eyecandies, real3d
from pointad.demo.scans import ScanName, make_specimen
from pointad.scans.sampling import POINT_COUNT


def test_eyecandies_depth_is_the_specimen(tmp_path: Path) -> None:
    name = ScanName("gear", "test_public", "lump", 4)
    eyecandies.write_scan(name, 0, tmp_path)
    points = read_points(tmp_path / "gear/test_public/data/004_depth.png") / eyecandies.ENLARGEMENT
    _, specimen = make_specimen(name, 0)
    columns, rows = (
        np.rint((points[..., axis] - grid[0]) / specimen.pitch).astype(int)
        for axis, grid in ((0, specimen.x), (1, specimen.y))
    )
    inside = (columns >= 0) & (columns < len(specimen.x)) & (rows >= 0) & (rows < len(specimen.y))
    surface = specimen.height[rows[inside], columns[inside]]
    # The vertical axis points down; on steep walls the nearest grid point is no measure.
    difference = np.abs(-points[inside, 2] - surface)
    assert np.median(difference) < 5e-5 and (difference < 0.001).mean() > 0.9
    assert np.abs(points[~inside, 2]).max() < 5e-5


@pytest.mark.parametrize("species", ["good", "lump", "stain"])
def test_eyecandies_samples_are_read(tmp_path: Path, species: str) -> None:
    eyecandies.write_scan(ScanName("pear", "test_public", species, 3), 0, tmp_path)
    (sample,) = list_raw_samples("eye_pc_3d_rgb", tmp_path)
    assert (sample.label, sample.identifier) == (int(species != "good"), "003")
    prepared = load_raw_sample(sample)
    labels = prepared.point_cloud.labels
    assert labels is not None and labels.any() == (species != "good")
    # The object alone, upright: nothing of the table, and at most 6 cm high in tenths of the enlarged metres.
    height = prepared.point_cloud.points[:, 1]
    assert 0.0019 < height.min() < 0.003 and height.max() < 0.06
    assert len(labels) < 0.5 * POINT_COUNT


@pytest.mark.parametrize("species", ["good", "bulge", "sink"])
def test_real3d_samples_are_read(tmp_path: Path, species: str) -> None:
    name = ScanName("walnut", "test", species, 1)
    real3d.write_scan(name, 0, tmp_path)
    (sample,) = list_raw_samples("real_pc_3d_rgb", tmp_path)
    assert (sample.label, sample.identifier) == (int(species != "good"), f"1_{species}")
    prepared = load_raw_sample(sample)
    points, labels = prepared.point_cloud.points, prepared.point_cloud.labels
    assert labels is not None and points.shape == (POINT_COUNT, 3)
    assert 60 < np.ptp(points, axis=0).max() < 120  # millimetres
    if species == "good":
        assert not labels.any()
    else:
        assert 0.001 < labels.mean() < 0.05
        assert np.ptp(points[labels], axis=0).max() < 25


def test_surface_is_closed() -> None:
    _, specimen = make_specimen(ScanName("button", "test", "good", 0), 0)
    _, faces = real3d.closed_surface(specimen)
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    # Top and bottom are two open sheets that meet at height 0 along the outline.
    assert (counts <= 2).all() and (counts == 1).mean() < 0.02


def test_same_seed_same_cloud() -> None:
    name = ScanName("leaf", "test", "sink", 0)
    first, second, other = (real3d.make_cloud(name, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.points, second.points)
    assert first.points.shape != other.points.shape or not np.array_equal(first.points, other.points)


def test_lists_hold_every_kind() -> None:
    for module, kinds in ((eyecandies, {"good", *eyecandies.KINDS}), (real3d, set(real3d.DEFECTS))):
        names = list(module.list_scans(("gear", "leaf")))
        assert len(names) == len(set(names)) == 2 * 8
        assert {name.species for name in names} == kinds
