"""The three raw formats: which samples are found, what they become, and what broken ones lead to."""

import shutil
from pathlib import Path

import numpy as np
import open3d
import pytest
from PIL import Image

from pointad.data.raw import RenderingOptions, list_raw_samples, load_raw_sample, render_raw_sample, rig_of
from pointad.datasets import eyecandies
from pointad.datasets.archive import picture_beside
from pointad.errors import InputError
from pointad.rendering.views import View
from pointad.scans.point_cloud import RawSample
from pointad.scans.reading_options import ReadingOptions
from pointad.scans.sampling import POINT_COUNT


def names(samples: list[RawSample]) -> list[tuple[str, str, str, int]]:
    return [(sample.class_name, sample.species, sample.identifier, sample.label) for sample in samples]


def test_mvtec_samples(mvtec_root: Path) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)
    assert names(samples) == [
        ("bagel", "good", "000", 0),
        ("bagel", "good", "001", 0),
        ("bagel", "bump", "000", 1),
        ("own_part", "good", "000", 0),
        ("own_part", "good", "001", 0),
        ("own_part", "bump", "000", 1),
    ]
    assert samples[1].mask_path is None and samples[0].mask_path is not None
    assert names(list_raw_samples("mvtec_pc_3d_rgb", mvtec_root, classes=["own_part"])) == names(samples)[3:]


def test_scans_whose_names_are_shown_alike_are_refused(tmp_path: Path) -> None:
    """Tables could not tell them apart, and their maps would have the same file."""
    folder = tmp_path / "bagel" / "test" / "good" / "xyz"
    folder.mkdir(parents=True)
    for name in ("a\n", r"a\n"):
        (folder / f"{name}.tiff").touch()
    with pytest.raises(InputError, match=r"is one of 2 scans named bagel/good/a\\n; rename one of them"):
        list_raw_samples("mvtec_pc_3d_rgb", tmp_path)


def test_several_pictures_of_one_sample_are_refused(tmp_path: Path) -> None:
    (tmp_path / "000.png").touch()
    assert picture_beside(tmp_path, "000") == tmp_path / "000.png"
    (tmp_path / "000.jpg").symlink_to("000.png")  # the same picture
    assert picture_beside(tmp_path, "000") == tmp_path / "000.png"
    (tmp_path / "000.PNG").touch()
    if (tmp_path / "000.PNG").samefile(tmp_path / "000.png"):
        pytest.skip("the file system has one case")
    with pytest.raises(InputError, match=r"several pictures of one sample: 000\.png and 000\.PNG; keep one of them"):
        picture_beside(tmp_path, "000")


def test_mvtec_scan(mvtec_root: Path) -> None:
    sample = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[2]
    prepared = load_raw_sample(sample)
    assert prepared.xyz is not None and prepared.rgb is not None and prepared.mask is not None
    assert prepared.xyz.shape == (200, 200, 3) and prepared.rgb.shape == (200, 200, 3)
    points, labels = prepared.point_cloud.points, prepared.point_cloud.labels
    assert labels is not None
    # The dome without the 5 mm next to the table, seen from above.
    assert points[:, 2].max() < 0.495 and np.hypot(points[:, 0], points[:, 1]).max() < 0.0301
    inside = np.hypot(points[:, 0] - 0.01, points[:, 1]) < 0.006
    assert (labels == inside).mean() > 0.99
    assert (prepared.rgb[prepared.xyz[..., 2] != 0] == [200, 150, 90]).mean() > 0.98


def test_class_specific_and_automatic_point_sizes(mvtec_root: Path) -> None:
    bagel, own = (list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[k] for k in (0, 3))
    assert rig_of(bagel, RenderingOptions()).point_size == 7
    assert rig_of(own, RenderingOptions()).point_size is None
    assert rig_of(bagel, RenderingOptions(point_size="auto")).point_size is None
    chosen = rig_of(own, RenderingOptions(point_size=3, views=(View("y", 10),)))
    assert chosen.point_size == 3 and chosen.views == (View("y", 10),)


def test_a_defect_without_mask_is_an_error(mvtec_root: Path, tmp_path: Path) -> None:
    shutil.copytree(mvtec_root / "bagel", tmp_path / "bagel")
    (tmp_path / "bagel/test/bump/gt/000.png").unlink()
    sample = list_raw_samples("mvtec_pc_3d_rgb", tmp_path)[2]
    with pytest.raises(InputError, match=r"bump/gt/000\.png: does not exist"):
        load_raw_sample(sample)


def test_pictures_of_another_size_are_refused(mvtec_root: Path, tmp_path: Path) -> None:
    shutil.copytree(mvtec_root / "bagel", tmp_path / "bagel")
    Image.new("RGB", (50, 60)).save(tmp_path / "bagel/test/good/rgb/000.png")
    with pytest.raises(InputError, match=r"rgb/000\.png: is \(60, 50\) pixels, but the scan is \(128, 128\)"):
        load_raw_sample(list_raw_samples("mvtec_pc_3d_rgb", tmp_path)[0])


def test_eyecandies_samples(eyecandies_root: Path) -> None:
    samples = list_raw_samples("eye_pc_3d_rgb", eyecandies_root)
    assert names(samples) == [("Confetto", "good", "00", 0), ("Confetto", "bad", "01", 1)]


def test_eyecandies_points_are_the_scene(eyecandies_root: Path) -> None:
    """The fixture's scene is known: a table at z = 0, a disc of 0.25 m radius 0.15 m above it (z points down)."""
    points = eyecandies.read_points(eyecandies_root / "Confetto/test_public/data/00_depth.png")
    assert points.shape == (128, 128, 3)
    on_table = np.abs(points[..., 2]) < 1e-4
    on_disc = np.abs(points[..., 2] + 0.15) < 1e-4
    assert (on_table | on_disc).all() and on_disc.sum() > 500
    radius = np.hypot(points[..., 0], points[..., 1])
    assert radius[on_disc].max() < 0.251


def test_eyecandies_scan(eyecandies_root: Path) -> None:
    good, bad = (load_raw_sample(sample) for sample in list_raw_samples("eye_pc_3d_rgb", eyecandies_root))
    points = good.point_cloud.points
    # Axes (x, z, y) times (0.1, -0.1, 0.1): the second axis points up.
    np.testing.assert_allclose(points[:, 1], 0.015, atol=1e-5)
    assert np.hypot(points[:, 0], points[:, 2]).max() < 0.0251
    assert good.xyz is not None and good.point_cloud.nonzero_indices is not None
    stored = good.xyz.reshape(-1, 3)
    np.testing.assert_array_equal(np.flatnonzero(stored.any(axis=1)), good.point_cloud.nonzero_indices)
    np.testing.assert_allclose(stored[good.point_cloud.nonzero_indices], points, atol=1e-7)
    labels = bad.point_cloud.labels
    assert labels is not None and labels.any() and not labels.all()
    assert (bad.point_cloud.points[labels, 1] > 0.0151).mean() > 0.9
    assert bad.rgb is not None and bad.rgb.shape == (128, 128, 3)


@pytest.mark.parametrize("name", ["mask", "image_4"])
def test_eyecandies_pictures_of_another_shape_are_refused(eyecandies_root: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(eyecandies_root, tmp_path, dirs_exist_ok=True)
    path = min(tmp_path.rglob(f"*_{name}.png"))
    with Image.open(path) as picture:
        picture.resize((64, 100)).save(path)
    sample = next(one for one in list_raw_samples("eye_pc_3d_rgb", tmp_path) if path in (one.mask_path, one.rgb_path))
    with pytest.raises(InputError, match=r"is \(100, 64\) pixels, but the scan is"):
        load_raw_sample(sample)


def test_eyecandies_without_a_table_keeps_everything(caplog: pytest.LogCaptureFixture) -> None:
    xyz = np.ones((336, 336, 3))
    assert eyecandies.object_points(xyz, "scan 7").all()
    assert "scan 7: the points on the border do not determine the table" in caplog.text
    xyz[0] = [1, 2, 1]
    assert eyecandies.object_points(xyz, "scan 8").all()
    assert "scan 8: no point lies above the table" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("00_info_depth.yaml", "{}", "no normalization"),
        ("00_info_depth.yaml", "normalization: {min: 2, max: 1}", "depth limits"),
        ("00_info_depth.yaml", "a: [", "not readable YAML"),
        ("00_pose.txt", "1 0 0\n0 1 0\n0 0 1", "shape"),
        ("00_pose.txt", "0 0 0 0\n" * 3 + "0 0 0 1\n", "not an invertible matrix"),
        ("00_pose.txt", "x", "not a matrix"),
        ("00_depth.png", "x", "not a readable picture"),
    ],
)
def test_broken_eyecandies_files(eyecandies_root: Path, tmp_path: Path, name: str, content: str, message: str) -> None:
    shutil.copytree(eyecandies_root, tmp_path / "raw")
    (tmp_path / "raw/Confetto/test_public/data" / name).write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        load_raw_sample(list_raw_samples("eye_pc_3d_rgb", tmp_path / "raw")[0])
    assert name in str(caught.value)


def test_real3d_samples(real3d_root: Path) -> None:
    assert names(list_raw_samples("real_pc_3d_rgb", real3d_root)) == [
        ("seahorse", "good", "12_good", 0),
        ("seahorse", "anomaly", "7_bulge_cut", 1),
        ("ashtray0", "good", "ashtray0_positive3", 0),
        ("ashtray0", "anomaly", "7_bulge_cut", 1),
    ]


@pytest.mark.parametrize("class_name", ["seahorse", "ashtray0"])
def test_real3d_clouds(real3d_root: Path, class_name: str) -> None:
    good, bad = (load_raw_sample(s) for s in list_raw_samples("real_pc_3d_rgb", real3d_root, classes=[class_name]))
    for prepared in (good, bad):
        assert prepared.point_cloud.points.shape == (POINT_COUNT, 3)
        assert prepared.rgb is None and prepared.xyz is None
    assert bad.mask is not None and good.mask is not None and not good.mask.any()
    # The bulge sticks out by a tenth; interpolated points keep close to the surface.
    radius = np.linalg.norm(bad.point_cloud.points, axis=1)
    assert bad.mask.any() and radius[bad.mask].mean() > 16.2 and radius[~bad.mask].mean() < 15.1


def test_clouds_of_ones_own_in_other_formats(real3d_root: Path, tmp_path: Path) -> None:
    (expected, _) = list_raw_samples("real_pc_3d_rgb", real3d_root, classes=["seahorse"])
    cloud = open3d.io.read_point_cloud(expected.scan_path)
    (tmp_path / "own" / "test").mkdir(parents=True)
    for suffix in (".ply", ".xyz"):
        assert open3d.io.write_point_cloud(str(tmp_path / "own" / "test" / f"12_good{suffix}"), cloud)
        (sample,) = list_raw_samples("real_pc_3d_rgb", tmp_path)
        own = load_raw_sample(sample).point_cloud.points[:20_000]
        np.testing.assert_allclose(own, load_raw_sample(expected).point_cloud.points[:20_000], atol=1e-5)
        sample.scan_path.unlink()


def test_real3d_without_labels(real3d_root: Path, tmp_path: Path) -> None:
    shutil.copytree(real3d_root / "seahorse", tmp_path / "seahorse")
    truth = tmp_path / "seahorse/gt/7_bulge_cut.txt"
    sample = list_raw_samples("real_pc_3d_rgb", tmp_path)[1]
    truth.write_text("1 2 3\n4 5 6\n")
    with pytest.raises(InputError, match="3 numbers per row, expected x y z label"):
        load_raw_sample(sample)
    truth.unlink()
    with pytest.raises(InputError, match=r"7_bulge_cut\.txt: does not exist"):
        load_raw_sample(sample)


@pytest.mark.parametrize("dataset", ["mvtec_pc_3d_rgb", "eye_pc_3d_rgb", "real_pc_3d_rgb"])
def test_folders_that_are_no_archive(tmp_path: Path, dataset: str) -> None:
    with pytest.raises(InputError, match="holds no class folder"):
        list_raw_samples(dataset, tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        list_raw_samples(dataset, tmp_path / "nowhere")


def test_unknown_class_lists_those_that_exist(mvtec_root: Path) -> None:
    with pytest.raises(InputError, match="choose among bagel, own_part"):
        list_raw_samples("mvtec_pc_3d_rgb", mvtec_root, classes=["bagel", "tyre"])


def test_rendering_twice_gives_the_same(real3d_root: Path) -> None:
    sample = list_raw_samples("real_pc_3d_rgb", real3d_root)[1]
    options = RenderingOptions(views=(View("x", 0),))
    (first, first_prepared), (second, second_prepared) = (render_raw_sample(sample, options) for _ in range(2))
    np.testing.assert_array_equal(first.views, second.views)
    np.testing.assert_array_equal(first.correspondences, second.correspondences)
    np.testing.assert_array_equal(first_prepared.mask, second_prepared.mask)


def test_clusters_to_keep_are_told_to_be_ignored_where_none_are_chosen(
    mvtec_root: Path, eyecandies_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reading = ReadingOptions(keep_clusters="all")
    list_raw_samples("mvtec_pc_3d_rgb", mvtec_root, reading=reading)
    assert "--keep_clusters" not in caplog.text
    list_raw_samples("eye_pc_3d_rgb", eyecandies_root, reading=reading)
    assert "--keep_clusters is ignored: of Eyecandies, all clusters of points are kept" in caplog.text
