"""Readers of the data sets beside the paper's three, on miniatures of their archives."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import MINIATURES, POINTS, clouds, recording, write_rows, write_tiff

from pointad.data.raw import list_raw_samples, load_raw_sample
from pointad.datasets.base import group_of
from pointad.datasets.minishift import DIFFICULTIES
from pointad.datasets.mulsen import distinct_vertices
from pointad.datasets.organized import depth_to_points, fitted
from pointad.datasets.registry import DATASETS
from pointad.datasets.shapenet import defect_kind
from pointad.datasets.unorganized import prepare_cloud
from pointad.errors import InputError
from pointad.scans.point_cloud import RawSample
from pointad.scans.point_labels import read_labels


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the miniature of each data set lies."""
    folder = tmp_path_factory.mktemp("miniatures")
    for name, write in MINIATURES.items():
        write(folder / name)
    return {name: folder / name for name in MINIATURES}


def described(samples: list[RawSample]) -> list[tuple[str, str, str, int]]:
    return [(one.class_name, one.species, one.identifier, one.label) for one in samples]


EXPECTED = {
    "shapenet_pc_3d": [
        ("ashtray0", "good", "ashtray0_positive3", 0),
        ("ashtray0", "bulge", "ashtray0_bulge1", 1),
        ("vase9", "good", "vase9_positive3", 0),
        ("vase9", "bulge", "vase9_bulge1", 1),
    ],
    "minishift_pc_3d": [
        (class_name, species, number, int(species != "good"))
        for class_name in ("capsule", "nut")
        for species, number in (("good", "0"), ("pit_easy", "3"), ("pit_hard", "3"), ("pit_medium", "3"))
    ],
    "mulsen_pc_3d": [
        (class_name, species, number, int(species != "good"))
        for class_name in ("capsule", "light")
        for species, number in (("good", "0"), ("good", "color_1"), ("hole", "0"))
    ],
    "adam_pc_3d_rgb": [
        (class_name, species, "004_C", int(species != "good"))
        for class_name in ("1m1", "gripper")
        for species in ("good", "Cuts")
    ],
    "realiad_pc_3d_rgb": [
        (class_name, species, "S0001", int(species != "good"))
        for class_name in ("audio_jack", "lego_propeller")
        for species in ("good", "scratch")
    ],
}


@pytest.mark.parametrize("name", MINIATURES)
def test_samples_are_listed(archives: dict[str, Path], name: str) -> None:
    samples = list_raw_samples(name, archives[name])
    assert described(samples) == EXPECTED[name]
    assert {sample.dataset_name for sample in samples} == {name}
    last = samples[-1].class_name
    assert {sample.class_name for sample in list_raw_samples(name, archives[name], classes=[last])} == {last}


@pytest.mark.parametrize("name", MINIATURES)
def test_samples_are_read(archives: dict[str, Path], name: str) -> None:
    dataset = DATASETS[name]
    good, bad = (list_raw_samples(name, archives[name])[index] for index in (0, -1))
    for sample in (good, bad):
        prepared = load_raw_sample(sample)
        cloud = prepared.point_cloud
        assert cloud.labels is not None or sample is good
        share = 0.0 if cloud.labels is None else cloud.labels.mean()
        assert (0.005 < share < 0.2) if sample is bad else share == 0
        assert (cloud.nonzero_indices is not None) == dataset.organized
        assert (prepared.rgb is not None) == dataset.has_color
        if dataset.organized:
            assert prepared.xyz is not None and prepared.xyz.shape == (200, 200, 3)
        else:
            assert len(cloud.points) == 336 * 336


def test_shapenet_is_found_inside_its_folder_or_above(archives: dict[str, Path]) -> None:
    above, inside = (
        list_raw_samples("shapenet_pc_3d", archives["shapenet_pc_3d"] / part, classes=["vase9"])
        for part in (".", "pcd")
    )
    assert described(above) == described(inside)


def test_labels_of_clouds_stay_with_their_points(archives: dict[str, Path]) -> None:
    for name in ("shapenet_pc_3d", "minishift_pc_3d"):
        seed = 1
        border = 25 if name == "shapenet_pc_3d" else 23
        _, dented, labels = clouds(seed, border)
        cloud = load_raw_sample(list_raw_samples(name, archives[name])[-1]).point_cloud
        assert cloud.labels is not None
        assert np.allclose(cloud.points[:POINTS], dented, atol=1e-5)  # the given points come first
        assert (cloud.labels[:POINTS] == labels).all()


def test_mulsen_labels_go_to_the_nearest_vertex(archives: dict[str, Path]) -> None:
    sample = list_raw_samples("mulsen_pc_3d", archives["mulsen_pc_3d"])[2]
    vertices = distinct_vertices(sample.scan_path)
    assert len(vertices) == 2562  # of the sphere, each once
    cloud = load_raw_sample(sample).point_cloud
    assert cloud.labels is not None
    assert (cloud.labels[: len(vertices)] == (np.linalg.norm(vertices, axis=1) < 9.8)).all()


def test_mulsen_without_label_file_takes_defects_as_they_are(
    archives: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    MINIATURES["mulsen_pc_3d"](tmp_path)
    table = tmp_path / "capsule" / "RGB" / "GT" / "color" / "data.csv"
    table.write_text("object,label_rgb,label_infrared\n1,1,0\n")
    with pytest.raises(InputError, match="has no column label_pc"):
        list_raw_samples("mulsen_pc_3d", tmp_path)
    table.write_text("object,label_rgb,label_infrared,label_pc\n7,1,0,0\n8,1,0,0\n")
    with pytest.raises(InputError, match=r"has no row for 1\.stl"):
        list_raw_samples("mulsen_pc_3d", tmp_path)
    table.write_text("object,label_rgb,label_infrared,label_pc\nthe second,1,0,0\n")
    assert list_raw_samples("mulsen_pc_3d", tmp_path, classes=["capsule"])[1].species == "good"
    assert "rows are matched to the scans in order" in caplog.text
    table.unlink()
    assert list_raw_samples("mulsen_pc_3d", tmp_path, classes=["capsule"])[1].species == "color"
    assert "counts as anomalous" in caplog.text


def test_scans_on_a_line_are_refused(tmp_path: Path) -> None:
    """Such as depth maps in millimetres that were copied to three channels, and a cloud of two points."""
    MINIATURES["adam_pc_3d_rgb"](tmp_path)
    depth = recording(0)[0][..., 2:]
    write_tiff(tmp_path / "1m1/test/Cuts/xyz/004_C.tiff", np.repeat(1000 * depth, 3, axis=-1))
    sample = list_raw_samples("adam_pc_3d_rgb", tmp_path, classes=["1m1"])[1]
    with pytest.raises(InputError, match=r"004_C\.tiff: all its points lie on one line"):
        load_raw_sample(sample)
    scan = tmp_path / "nut/test/good/0.txt"
    write_rows(scan, np.array([[0.0, 0, 0], [1, 2, 3]]))
    (sample,) = list_raw_samples("minishift_pc_3d", tmp_path, classes=["nut"])
    with pytest.raises(InputError, match=r"0\.txt: all its points lie on one line"):
        load_raw_sample(sample)


@pytest.mark.parametrize("is_sorted", [False, True])
def test_marked_points_that_follow_each_other_are_told(
    is_sorted: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As they do where parts of a cloud were merged: maps are smoothed along the order of the points."""
    points, _, labels = clouds(0, 15)
    order = np.argsort(labels, kind="stable") if is_sorted else np.random.default_rng(0).permutation(len(points))
    sample = RawSample("minishift_pc_3d", "nut", "pit", "0", 1, tmp_path / "0.txt")
    prepare_cloud(sample, points[order], labels[order], "0")
    assert labels.sum() > 100
    assert [f"{tmp_path}/0.txt: the marked points follow" in one for one in caplog.messages] == [True] * is_sorted


def test_adam_depth_maps_become_points(archives: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    sample = list_raw_samples("adam_pc_3d_rgb", archives["adam_pc_3d_rgb"], classes=["1m1"])[0]
    prepared = load_raw_sample(sample)
    assert "holds a depth map, not points" in caplog.text
    assert prepared.xyz is not None
    inner = prepared.xyz[40:160, 20:180]  # without the padding to a square
    depth = recording(0)[0][..., 2]
    rows, columns = np.nonzero(depth > 0)
    assert np.allclose(inner[rows, columns], np.stack([columns / 160, rows / 160, depth[rows, columns]], axis=-1))
    assert not inner[depth == 0].any()


def test_points_are_no_depth_map(tmp_path: Path) -> None:
    xyz = recording(0)[0]
    assert depth_to_points(xyz, tmp_path) is xyz
    far = np.repeat(xyz[..., 2:] * 10, 3, axis=-1)  # beyond 1: in some unit, and no such map
    assert depth_to_points(far, tmp_path) is far


def test_pictures_are_brought_to_their_scan(tmp_path: Path) -> None:
    mask = np.zeros((240, 320), np.uint8)
    mask[100:140, 160:200] = 255
    small = fitted(mask, (120, 160), tmp_path)
    assert small.shape == (120, 160) and set(np.unique(small)) == {0, 255}
    assert small.mean() == pytest.approx(mask.mean(), rel=0.1)
    with pytest.raises(InputError, match="give files of the same recording"):
        fitted(mask, (160, 160), tmp_path)


@pytest.mark.parametrize(
    ("stem", "class_name", "kind"),
    [
        ("ashtray0_bulge12", "ashtray0", "bulge"),
        ("ashtray0_positive3", "ashtray0", "good"),
        ("2_concavity", "bag0", "concavity"),
        ("12_good", "bag0", "good"),
        ("bag0_7", "bag0", "anomaly"),
    ],
)
def test_kinds_of_defects_come_from_names(stem: str, class_name: str, kind: str) -> None:
    assert defect_kind(stem, class_name) == kind


def test_difficulties_are_told_by_the_species() -> None:
    species = ("good", "pit_easy", "deep_pit_hard", "hard", "pit_3")
    assert [group_of(name, DIFFICULTIES) for name in species] == [None, "easy", "hard", None, None]


def test_minishift_rows_with_coordinates_in_another_order(
    archives: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(archives["minishift_pc_3d"], root)
    sample = list_raw_samples("minishift_pc_3d", root)[-1]
    expected = load_raw_sample(sample).point_cloud.labels
    assert sample.mask_path is not None
    table = np.column_stack([np.loadtxt(sample.scan_path), np.loadtxt(sample.mask_path)])
    write_rows(sample.mask_path, table[::-1])
    assert expected is not None
    assert np.array_equal(load_raw_sample(sample).point_cloud.labels, expected)
    assert "matched by their coordinates" in caplog.text


def test_minishift_with_too_few_labels_is_refused(tmp_path: Path) -> None:
    MINIATURES["minishift_pc_3d"](tmp_path)
    sample = list_raw_samples("minishift_pc_3d", tmp_path)[1]
    assert sample.mask_path is not None
    write_rows(sample.mask_path, np.eye(5)[:, :1])
    with pytest.raises(InputError, match=f"5 labels for {POINTS} points"):
        load_raw_sample(sample)


def test_missing_truth_is_named(archives: dict[str, Path], tmp_path: Path) -> None:
    for name, write in MINIATURES.items():
        write(tmp_path / name)
        sample = list_raw_samples(name, tmp_path / name)[-1]
        assert sample.mask_path is not None
        sample.mask_path.unlink()
        again = list_raw_samples(name, tmp_path / name)[-1]
        with pytest.raises(InputError, match="does not exist") as caught:
            load_raw_sample(again)
        assert caught.value.subject == str(again.mask_path)


def test_labels_are_read_from_the_last_column(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("0\n1\n0\n")
    assert read_labels(path).tolist() == [False, True, False]
    path.write_text("1.5,2,3,1\n0,0,0,0\n")
    assert read_labels(path).tolist() == [True, False]
    for broken in ("", "good\n", "1\n1 0\n", "nan\n"):
        path.write_text(broken)
        with pytest.raises(InputError):
            read_labels(path)


def test_folders_that_are_no_such_archive_are_refused(tmp_path: Path) -> None:
    write_tiff(tmp_path / "bagel" / "scans" / "0.tiff", recording(0)[0])
    for name in MINIATURES:
        with pytest.raises(InputError, match="holds no class folder"):
            list_raw_samples(name, tmp_path)


def test_a_cloud_may_have_a_name_that_is_not_text() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3))
    sample = RawSample("folder", "part", "good", "0\udcff", 0, Path("0\udcff.ply"))
    found = [prepare_cloud(sample, points, None, name).point_cloud.points for name in ("0\udcff", "0\udcff", "0\udcfe")]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
