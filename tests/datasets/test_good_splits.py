"""Good scans outside the test split: found in every data set, rendered on request, listed apart from test samples."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import MINIATURES, clouds, write_mvtec, write_pcd, write_rows
from eyecandies_scans import write_box
from robustness.invocation import assert_one_error_line, render

from pointad.data.layout import ON_THE_FLY
from pointad.data.metadata import GOOD_SCANS_NAME, read_good_scans, read_metadata
from pointad.data.opening import list_dataset
from pointad.data.raw import list_good_scans, list_raw_samples, load_raw_sample
from pointad.datasets.eyecandies import _depth_pictures
from pointad.datasets.folder import FolderLayout, folder_dataset
from pointad.datasets.registry import DATASETS
from pointad.errors import InputError
from pointad.scans.reading_options import ReadingOptions


def write_eyecandies(root: Path) -> None:
    """Eyecandies; its training scan lacks the files that say whether it is good."""
    for split, number, bump in (("train", "07", False), ("test_public", "00", False), ("test_public", "01", True)):
        data = root / "Confetto" / split / "data"
        data.mkdir(parents=True, exist_ok=True)
        write_box(data, number, bump=bump)
    for ending in ("mask.png", "metadata.yaml"):
        (root / "Confetto" / "train" / "data" / f"07_{ending}").unlink()


def test_eyecandies_one_folder_too_deep_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_eyecandies(tmp_path)
    split = tmp_path / "Confetto" / "test_public"
    (split / "data").rename(split / "DATA")
    assert len(list_raw_samples("eye_pc_3d_rgb", tmp_path)) == 2
    shutil.copytree(split / "DATA", tmp_path / "Lollipop" / "test_public" / "data" / "data")
    assert len(list_raw_samples("eye_pc_3d_rgb", tmp_path)) == 2
    assert "Lollipop/test_public/data: holds no scan (*_depth.png)" in caplog.text


def test_eyecandies_in_upper_case_are_found(tmp_path: Path) -> None:
    write_eyecandies(tmp_path)
    usual = [(one.name, one.label) for one in list_raw_samples("eye_pc_3d_rgb", tmp_path)]
    for path in list(tmp_path.rglob("*.*")):
        path.rename(path.with_name(path.name.upper()))
    samples = list_raw_samples("eye_pc_3d_rgb", tmp_path)
    assert [(one.name, one.label) for one in samples] == usual
    for sample in samples:
        load_raw_sample(sample)


def test_eyecandies_that_may_not_be_read_are_not_told_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_eyecandies(tmp_path)

    def locked(path: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "listdir", locked)
    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(PermissionError):
        list(_depth_pictures(tmp_path / "Confetto" / "test_public"))


def write_real3d(root: Path) -> None:
    """Real3D-AD with two prototypes and a scan beside them that is none."""
    points, dented, labels = clouds(3)
    for name, cloud in (
        ("train/11_template", points),
        ("train/12_template", points),
        ("train/notes", dented),
        ("test/5_good", points),
        ("test/6_bulge", dented),
    ):
        write_pcd(root / "duck" / f"{name}.pcd", cloud)
    write_rows(root / "duck" / "gt" / "6_bulge.txt", np.column_stack([dented, labels]))


WRITERS: dict[str, Callable[[Path], None]] = {
    "mvtec_pc_3d_rgb": write_mvtec,
    "eye_pc_3d_rgb": write_eyecandies,
    "real_pc_3d_rgb": write_real3d,
    **MINIATURES,
}
EXPECTED = {
    "mvtec_pc_3d_rgb": [("tire", "000"), ("tire", "001"), ("tire", "002")],
    "eye_pc_3d_rgb": [("Confetto", "07")],
    "real_pc_3d_rgb": [("duck", "11_template"), ("duck", "12_template")],
    "shapenet_pc_3d": [("ashtray0", "ashtray0_template0"), ("vase9", "vase9_template0")],
    "minishift_pc_3d": [("capsule", "0"), ("nut", "0")],
    "mulsen_pc_3d": [("capsule", "0"), ("light", "0")],
    "adam_pc_3d_rgb": [("1m1", "004_C"), ("gripper", "004_C")],
    "realiad_pc_3d_rgb": [],  # the miniature has a test split alone
}


@pytest.mark.parametrize("name", WRITERS)
def test_good_scans_are_those_of_the_archive(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    good = list_good_scans(DATASETS[name], tmp_path)
    assert [(one.class_name, one.identifier) for one in good] == EXPECTED[name]
    assert all(one.for_reference and one.species == "good" and not one.label for one in good)
    tested = {one.scan_path for one in list_raw_samples(name, tmp_path)}
    assert not tested & {one.scan_path for one in good}
    if good:
        last = good[-1].class_name
        assert {one.class_name for one in list_good_scans(DATASETS[name], tmp_path, [last])} == {last}
        prepared = load_raw_sample(good[-1])
        assert len(prepared.point_cloud.points) > 1000 and (prepared.mask is None or not prepared.mask.any())


def test_a_folder_of_ones_own_names_its_splits(tmp_path: Path) -> None:
    for split, species, name in (("train", "good", "1"), ("train", "bad", "2"), ("test", "good", "3")):
        write_rows(tmp_path / split / species / f"{name}.xyz", clouds(1)[0])
    pattern = "{split}/{species}/{id}.xyz"
    found = list_good_scans(folder_dataset(FolderLayout(scans=pattern)), tmp_path)
    assert [one.identifier for one in found] == ["1"]
    assert not list_good_scans(folder_dataset(FolderLayout(scans="test/{species}/{id}.xyz")), tmp_path)
    reading = ReadingOptions(good_folder="bad")
    found = list_good_scans(folder_dataset(FolderLayout(scans=pattern)), tmp_path, reading=reading)
    assert [one.identifier for one in found] == ["1", "2"]


def test_a_link_to_a_test_sample_is_not_compared_with_it(tmp_path: Path) -> None:
    write_mvtec(tmp_path / "raw")
    training, tested = (tmp_path / "raw" / "tire" / split / "good" / "xyz" / "000.tiff" for split in ("train", "test"))
    training.unlink()
    training.symlink_to(tested)
    ending = render("mvtec_pc_3d_rgb", tmp_path / "raw", tmp_path / "rendered", "--good_scans")
    assert_one_error_line(ending, str(training), "is the same file as the test sample", "keep it in one split")
    with pytest.raises(InputError, match="is the same file"):
        list_dataset(DATASETS["mvtec_pc_3d_rgb"], tmp_path / "raw", render=ON_THE_FLY, with_good=True)


def test_the_named_folder_of_good_samples_counts_in_training_too(tmp_path: Path) -> None:
    write_mvtec(tmp_path)
    (tmp_path / "tire" / "train" / "good").rename(tmp_path / "tire" / "train" / "fine")
    assert not list_good_scans(DATASETS["mvtec_pc_3d_rgb"], tmp_path)
    reading = ReadingOptions(good_folder="fine")
    found = list_good_scans(DATASETS["mvtec_pc_3d_rgb"], tmp_path, reading=reading)
    assert [one.identifier for one in found] == ["000", "001", "002"]


def test_they_are_rendered_on_request_and_listed_apart(tmp_path: Path) -> None:
    raw, rendered = tmp_path / "raw", tmp_path / "rendered"
    write_mvtec(raw)
    assert render("mvtec_pc_3d_rgb", raw, rendered).code == 0
    published = (rendered / "all_meta.json").read_text()
    assert not (rendered / GOOD_SCANS_NAME).exists() and not read_good_scans(rendered)

    said = render("mvtec_pc_3d_rgb", raw, rendered, "--good_scans", 2)
    assert said.code == 0, said.err
    assert "2 scans rendered, 2 already finished" in said.out and "2 good scans for comparison listed in" in said.out
    assert (rendered / "all_meta.json").read_text() == published
    records = read_good_scans(rendered)
    assert [one.identifier for one in records] == ["000", "001"]
    assert all(one.views_folder.is_dir() and one.point_cloud_path and one.point_cloud_path.is_file() for one in records)
    assert {one.identifier for one in read_metadata(rendered)} == {"000"}
    rendered.rename(tmp_path / "moved")
    assert read_good_scans(tmp_path / "moved")[0].views_folder.is_dir()


def test_an_archive_without_them_says_where_they_come_from_then(tmp_path: Path) -> None:
    MINIATURES["realiad_pc_3d_rgb"](tmp_path / "raw")
    ending = render("realiad_pc_3d_rgb", tmp_path / "raw", tmp_path / "rendered", "--good_scans")
    assert_one_error_line(ending, "holds no good scans outside the test split", "omit --good_scans")
    assert not (tmp_path / "rendered").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [({"test": {}}, 'has no "train" section'), ({"train": {"tire": [{"anomaly": 0}]}}, "without cls_name")],
)
def test_a_spoilt_list_is_refused(tmp_path: Path, content: dict, said: str) -> None:
    (tmp_path / GOOD_SCANS_NAME).write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"{GOOD_SCANS_NAME}.*{said}"):
        read_good_scans(tmp_path)


def test_an_anomalous_scan_is_no_good_one(tmp_path: Path) -> None:
    raw, rendered = tmp_path / "raw", tmp_path / "rendered"
    write_mvtec(raw)
    assert render("mvtec_pc_3d_rgb", raw, rendered, "--good_scans", 1).code == 0
    path = rendered / GOOD_SCANS_NAME
    path.write_text(path.read_text().replace('"anomaly": 0', '"anomaly": 1'))
    with pytest.raises(InputError, match="is anomalous"):
        read_good_scans(rendered)


def test_a_test_sample_is_no_good_scan_to_compare_with(tmp_path: Path) -> None:
    write_mvtec(tmp_path / "raw")
    assert render("mvtec_pc_3d_rgb", tmp_path / "raw", tmp_path / "rendered").code == 0
    tested = json.loads((tmp_path / "rendered" / "all_meta.json").read_text())["test"]
    good = {name: [sample for sample in samples if not sample["anomaly"]] for name, samples in tested.items()}
    (tmp_path / "rendered" / GOOD_SCANS_NAME).write_text(json.dumps({"train": good}))
    with pytest.raises(InputError, match=rf"{GOOD_SCANS_NAME}: lists the test sample .*tire/test/good"):
        list_dataset(DATASETS["mvtec_pc_3d_rgb"], tmp_path / "rendered", with_good=True)
