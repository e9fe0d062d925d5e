"""The demo data set: raw MVTec 3D-AD layout, the same bytes for the same seed, defects where the masks say."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pointad.demo.objects import CLASSES
from pointad.demo.paths import along_path, nearest_on_path
from pointad.demo.scans import (
    IMAGE_SIDE,
    TEST_SCANS,
    ScanName,
    list_scans,
    make_scan,
    write_calibration,
    write_scan,
)

ROOT = Path(__file__).parents[2]
SEED = 5


def on_object(xyz: np.ndarray) -> np.ndarray:
    """Points clearly above the table, which is the plane through the borders of the scan."""
    rows, columns = np.indices(xyz.shape[:2])
    seen = xyz[..., 2] != 0
    border = seen & ((rows < 10) | (columns < 10) | (rows >= IMAGE_SIDE - 10) | (columns >= IMAGE_SIDE - 10))
    design = np.stack([xyz[..., 0], xyz[..., 1], np.ones_like(xyz[..., 0])], axis=-1)
    plane = np.linalg.lstsq(design[border], xyz[border][:, 2], rcond=None)[0]
    return seen & (design @ plane - xyz[..., 2] > 0.005)


def test_the_data_set_has_ten_classes_with_enough_good_and_anomalous_scans() -> None:
    names = list(list_scans())
    assert len(CLASSES) == 10
    for class_name in CLASSES:
        species = [name.species for name in names if name.class_name == class_name and name.split == "test"]
        assert species.count("good") >= 8
        assert len(species) - species.count("good") >= 8
        assert len(set(species) - {"good"}) >= 4
    assert len(names) == len(set(names))


@pytest.mark.parametrize("class_name", CLASSES)
def test_good_scans_look_like_a_depth_cameras(class_name: str) -> None:
    made = make_scan(ScanName(class_name, "test", "good", 0), SEED)
    assert made.xyz.shape == (IMAGE_SIDE, IMAGE_SIDE, 3)
    assert made.xyz.dtype == np.float32
    holes = made.xyz[..., 2] == 0
    assert 0 < holes.mean() < 0.1
    assert (made.xyz[holes] == 0).all()
    assert made.mask is not None
    assert not made.mask.any()
    share = on_object(made.xyz).mean()
    assert 0.05 < share < 0.6
    depth = made.xyz[~holes][:, 2]
    assert depth.min() > 0.4
    assert depth.max() < 0.6
    assert np.ptp(made.xyz[on_object(made.xyz)][:, :2], axis=0).max() < 0.125  # metres


@pytest.mark.parametrize("species", [species for species in TEST_SCANS if species != "good"])
@pytest.mark.parametrize("class_name", ["brick", "pear", "pretzel"])
def test_defects_are_small_and_lie_on_the_object(class_name: str, species: str) -> None:
    made = make_scan(ScanName(class_name, "test", species, 0), SEED)
    assert made.mask is not None
    marked, body = made.mask > 0, on_object(made.xyz)
    assert set(np.unique(made.mask)) == {0, 255}
    assert 0.002 < marked.sum() / body.sum() < 0.05
    seen = made.xyz[..., 2] != 0
    assert (marked & body).sum() > 0.8 * (marked & seen).sum()


def test_a_stain_is_seen_in_colour_only() -> None:
    stained = make_scan(ScanName("pear", "test", "stain", 0), SEED)
    assert stained.rgb is not None
    assert stained.mask is not None
    marked, body = stained.mask > 0, on_object(stained.xyz)
    beside = body & ~marked
    colors = stained.rgb.astype(float)
    assert np.abs(colors[marked].mean(axis=0) - colors[beside].mean(axis=0)).max() > 30
    # The surface is as smooth inside the mark as beside it.
    roughness = np.abs(np.diff(stained.xyz[..., 2], 2, axis=1, prepend=0, append=0))
    usable = stained.xyz[..., 2] != 0
    inside, outside = roughness[marked & usable & body], roughness[beside & usable]
    assert np.median(inside) < 1.5 * np.median(outside)


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    name = ScanName("gear", "test", "pit", 1)
    digests = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_scan(name, seed, tmp_path / folder)
        files = sorted(path for path in (tmp_path / folder).rglob("*") if path.is_file())
        assert [path.relative_to(tmp_path / folder).as_posix() for path in files] == [
            "gear/test/pit/gt/001.png",
            "gear/test/pit/rgb/001.png",
            "gear/test/pit/xyz/001.tiff",
        ]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]
    assert all(one != other for one, other in zip(digests[0], digests[2], strict=True))


def test_specimens_of_one_class_differ() -> None:
    first, second = (make_scan(ScanName("walnut", "test", "good", number), SEED).xyz for number in (0, 1))
    assert np.abs(first[..., 2] - second[..., 2]).max() > 0.005


def test_training_scans_have_no_ground_truth(tmp_path: Path) -> None:
    write_scan(ScanName("leaf", "train", "good", 0), SEED, tmp_path)
    assert not (tmp_path / "leaf" / "train" / "good" / "gt").exists()


def test_the_calibration_takes_points_back_to_their_pixels(tmp_path: Path) -> None:
    write_calibration("spoon", tmp_path)
    camera = json.loads((tmp_path / "spoon" / "calibration" / "camera_parameters.json").read_text())
    xyz = make_scan(ScanName("spoon", "test", "good", 0), SEED).xyz.astype(float)
    rows, columns = np.nonzero(xyz[..., 2])
    x, y, z = xyz[rows, columns].T
    np.testing.assert_allclose(camera["fx"] * x / z + camera["cx"], columns, atol=1e-3)
    np.testing.assert_allclose(camera["fy"] * y / z + camera["cy"], rows, atol=1e-3)


def test_the_script_writes_one_class(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "make_demo_data.py", "--output", tmp_path, "--classes", "button"]
    subprocess.run([*map(str, command), "--workers", "1"], check=True, capture_output=True)
    expected = [name for name in list_scans(("button",)) if name.split == "test"]
    assert len(list((tmp_path / "button" / "test").glob("*/xyz/*.tiff"))) == len(expected)
    xyz = tifffile.imread(tmp_path / "button" / "test" / "good" / "xyz" / "000.tiff")
    assert xyz.shape == (IMAGE_SIDE, IMAGE_SIDE, 3)
    picture = np.asarray(Image.open(tmp_path / "button" / "test" / "good" / "rgb" / "000.png"))
    assert picture.shape == (IMAGE_SIDE, IMAGE_SIDE, 3)


def test_places_along_a_line_do_not_jump() -> None:
    """The tubes of pretzel and croissant once were thick in terraces, one for every piece of their middle line."""
    path, width = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]), np.array([0.5, 0.25, 0.25])
    fraction, place = nearest_on_path(np.array([[0.25, 0.8, 1.125]]), np.array([[0.1, 0.0, 1.5]]), path, width)
    np.testing.assert_allclose(place, [[0.25, 0.8, 1.75]], atol=1e-6)
    np.testing.assert_allclose(fraction, [[0.1 / 0.4375, 0.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(along_path(place, np.array([0.0, 10.0, 0.0])), [[2.5, 8.0, 2.5]], atol=1e-5)


def test_more_good_scans_leave_the_others_as_they_are() -> None:
    more, usual = list(list_scans(("gear",), good=20)), list(list_scans(("gear",)))
    assert len(more) == len(usual) + 12
    assert set(usual) < set(more)
    assert {(name.split, name.species) for name in set(more) - set(usual)} == {("test", "good")}
