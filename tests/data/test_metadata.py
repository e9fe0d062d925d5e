"""The JSON lists: what is written, and every kind of path that is read or refused."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pointad.data.layout import SampleFiles
from pointad.data.listing import write_metadata
from pointad.data.metadata import read_metadata
from pointad.data.opening import list_dataset
from pointad.data.rendered_files import write_rendered_sample
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.rendering.rendered_sample import RenderedSample


def rendered(root: Path, class_name: str, species: str, identifier: str, views: int = 2) -> SampleFiles:
    files = SampleFiles(root, class_name, species, identifier)
    pictures = np.zeros((views, 8, 8), np.uint8)
    sample = RenderedSample(pictures, pictures, np.zeros((views, 5, 3), np.int16), np.arange(5, dtype=np.int32))
    write_rendered_sample(files, sample)
    for path in (files.rgb, files.mask, files.xyz, files.point_cloud, files.labelled_point_cloud):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return files


def entry(root: str, **changes: object) -> dict[str, object]:
    folder = f"{root}bagel/test/hole"
    return {
        "d2_img_path": f"{folder}/rgb/000.png",
        "d2_mask_path": f"{folder}/gt/000.png",
        "d3_pc": f"{folder}/xyz/000.tiff",
        "cls_name": "bagel",
        "specie_name": "hole",
        "anomaly": 1,
        "d2_render_img_path": f"{folder}/2d_rendering/000",
        "d2_render_gt_path": f"{folder}/2d_gt/000",
        "d2_corrdinate": f"{folder}/2d_3d_cor/000",
        **changes,
    }


def write(root: Path, *entries: object) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "all_meta.json").write_text(json.dumps({"train": {}, "test": {"bagel": list(entries)}}))


@pytest.mark.parametrize("dataset", ["mvtec_pc_3d_rgb", "eye_pc_3d_rgb", "real_pc_3d_rgb"])
def test_written_lists_are_read_back(tmp_path: Path, dataset: str) -> None:
    for species in ("anomaly", "good"):
        for identifier in ("001", "000"):
            rendered(tmp_path, "car", species, identifier)
    rendered(tmp_path, "another", "good", "000")
    summary = write_metadata(tmp_path, dataset)
    assert summary.samples["car"] == {"good": 2, "anomaly": 2} and not summary.unfinished
    records = read_metadata(tmp_path, "car")
    order = [(record.species, record.identifier, record.label) for record in records]
    assert order == [("good", "000", 0), ("good", "001", 0), ("anomaly", "000", 1), ("anomaly", "001", 1)]
    assert records == [record for record in read_metadata(tmp_path) if record.class_name == "car"]
    record = records[3]
    files = SampleFiles(tmp_path, "car", "anomaly", "001")
    folders = record.views_folder, record.views_gt_folder, record.correspondence_folder
    assert folders == (files.views, files.views_gt, files.correspondences)
    if dataset == "real_pc_3d_rgb":
        expected = None, files.labelled_point_cloud, files.point_cloud
    else:
        expected = files.rgb, files.mask, files.xyz if dataset == "mvtec_pc_3d_rgb" else files.point_cloud
    assert (record.rgb_path, record.mask_path, record.point_cloud_path) == expected
    written = json.loads((tmp_path / "all_meta.json").read_text())
    assert written["train"] == {} and set(written["test"]) == {"car", "another"}
    assert not any(str(tmp_path) in path.read_text() for path in tmp_path.glob("*.json"))


def test_known_classes_come_first_and_in_their_order(tmp_path: Path) -> None:
    for class_name in ("tire", "apple", "bagel", "zebra"):
        rendered(tmp_path, class_name, "good", "000")
    assert list(write_metadata(tmp_path, "mvtec_pc_3d_rgb").samples) == ["bagel", "tire", "apple", "zebra"]


def test_a_class_called_all_does_not_replace_the_list_of_all_classes(tmp_path: Path) -> None:
    for class_name in ("all", "bagel"):
        rendered(tmp_path, class_name, "good", "000")
    write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    assert [record.class_name for record in read_metadata(tmp_path)] == ["bagel", "all"]
    assert [record.class_name for record in read_metadata(tmp_path, "all")] == ["all"]


def test_without_a_class_called_all_it_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, entry(""))
    with pytest.raises(InputError, match=r"class all: is not in .*choose among bagel"):
        read_metadata(tmp_path, "all")


def test_a_moved_data_set_is_still_read(tmp_path: Path) -> None:
    rendered(tmp_path / "here", "bagel", "good", "000")
    write_metadata(tmp_path / "here", "mvtec_pc_3d_rgb")
    (tmp_path / "here").rename(tmp_path / "there")
    (record,) = read_metadata(tmp_path / "there")
    assert record.views_folder == tmp_path / "there/bagel/test/good/2d_rendering/000"


def test_unfinished_samples_are_left_out(tmp_path: Path) -> None:
    rendered(tmp_path, "bagel", "good", "000")
    broken = rendered(tmp_path, "bagel", "good", "001")
    (broken.correspondences / "view_1_cor.npy").unlink()
    (broken.folder / "2d_rendering" / ".002.partial").mkdir()
    summary = write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    assert summary.samples == {"bagel": {"good": 1}} and summary.unfinished == (broken.views,)


def test_finished_samples_that_no_list_names_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rendered(tmp_path, "bagel", "good", "000")
    rendered(tmp_path, "rope", "good", "000")
    write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    list_dataset(specification("mvtec_pc_3d_rgb"), tmp_path)
    assert not caplog.messages
    rendered(tmp_path, "bagel", "hole", "001")
    next(rendered(tmp_path, "bagel", "hole", "002").views.glob("view_0.png")).unlink()  # is being rendered
    list_dataset(specification("mvtec_pc_3d_rgb"), tmp_path, class_name="rope")
    assert not caplog.messages
    for class_name in (None, "bagel"):
        list_dataset(specification("mvtec_pc_3d_rgb"), tmp_path, class_name=class_name)
        (message,) = caplog.messages
        assert "does not list 1 finished sample in the same folder" in message and "2d_rendering/001" in message
        assert message.startswith(f"{tmp_path / ('all_meta.json' if class_name is None else 'bagel_meta.json')}: ")
        caplog.clear()


def test_missing_masks_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for species, identifier in (("good", "000"), ("hole", "000"), ("hole", "001")):
        files = rendered(tmp_path, "bagel", species, identifier)
    rendered(tmp_path, "bagel", "good", "001").mask.unlink()
    write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    assert caplog.text == ""
    files.mask.unlink()
    write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    assert f"the masks of 1 anomalous sample are missing, such as {files.mask}" in caplog.text


def test_hidden_folders_are_no_classes_species_or_samples(tmp_path: Path) -> None:
    """As file managers and archives leave them; their names would be refused."""
    rendered(tmp_path, "bagel", "good", "000")
    shutil.copytree(tmp_path / "bagel", tmp_path / "__MACOSX")
    shutil.copytree(tmp_path / "bagel/test/good", tmp_path / "bagel/test/.ipynb_checkpoints")
    shutil.copytree(tmp_path / "bagel", tmp_path / ".Trash")
    summary = write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    assert summary.samples == {"bagel": {"good": 1}} and not summary.unfinished


def test_nothing_rendered(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no rendered sample"):
        write_metadata(tmp_path, "mvtec_pc_3d_rgb")
    with pytest.raises(InputError, match="is not a folder"):
        write_metadata(tmp_path / "nowhere", "mvtec_pc_3d_rgb")
    with pytest.raises(InputError, match=r"choose one of mvtec_pc_3d_rgb, eye_pc_3d_rgb, real_pc_3d_rgb"):
        write_metadata(tmp_path, "mvtec")


@pytest.mark.parametrize("prefix", ["", "./", "{root}/", "{root}//./", "data/", "../run/data/", "/elsewhere/data/"])
def test_paths_below_the_root_in_every_form(tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "run" / "data"
    write(root, entry(prefix.format(root=root)))
    for folder, given in (
        (tmp_path / "run", Path("data")),
        (tmp_path, root),
        (root, Path()),
        (root, Path("../data")),
    ):
        monkeypatch.chdir(folder)
        (record,) = read_metadata(given)
        assert record.rgb_path == root / "bagel/test/hole/rgb/000.png"
        assert record.correspondence_folder == root / "bagel/test/hole/2d_3d_cor/000"


def test_root_behind_a_link(tmp_path: Path) -> None:
    write(tmp_path / "data", entry(f"{tmp_path}/data/"))
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (record,) = read_metadata(tmp_path / "link")
    assert record.rgb_path == tmp_path / "link/bagel/test/hole/rgb/000.png"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "/etc/passwd",
        "bagel/../../secret.png",
        "bagel/test/../../../secret.png",
        "../other/bagel/test/hole/rgb/000.png",
        "/other/bagel/test/hole/rgb/000.png",
        "{root}/../secret.png",
        "..",
        ".",
    ],
)
@pytest.mark.parametrize("key", ["d2_img_path", "d2_corrdinate"])
def test_paths_that_leave_the_root_are_refused(tmp_path: Path, path: str, key: str) -> None:
    root = tmp_path / "data"
    write(root, entry("", **{key: path.format(root=root)}))
    with pytest.raises(InputError, match="leads outside the data set's folder"):
        read_metadata(root)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"test": []}',
        '{"test": {"bagel": 3}}',
        '{"test": {"bagel": [3]}}',
        '{"test": {"bagel": [{}]}}',
        "[" * 100_000,
        json.dumps({"test": {"bagel": [entry("", anomaly="yes")]}}),
        json.dumps({"test": {"bagel": [entry("", d2_corrdinate=None)]}}),
        *(json.dumps({"test": {"bagel": [entry("", cls_name=name)]}}) for name in (7, "x" * 1001)),
        json.dumps({"test": {"bagel": [entry("", d2_mask_path=[])]}}),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "all_meta.json").write_text(content)
    with pytest.raises(InputError, match=r"all_meta\.json"):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    "second",
    [
        entry("", d2_render_img_path="bagel/test/hole/2d_rendering/000/"),  # the same folder in other letters
        entry("", specie_name="good", anomaly=0),  # one scan both good and anomalous
        entry("", d2_render_img_path="bagel/elsewhere/000"),  # two scans of one name
    ],
)
def test_samples_listed_twice_are_refused(tmp_path: Path, second: dict) -> None:
    (tmp_path / "all_meta.json").write_text(json.dumps({"test": {"bagel": [entry(""), second]}}))
    with pytest.raises(InputError, match=r"all_meta\.json: lists the sample bagel/.*/000 twice"):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("d2_corrdinate", "bagel/test/hole/2d_3d_cor/001"),
        ("d2_render_gt_path", "bagel/test/hole/2d_gt/001"),
        ("d2_mask_path", "bagel/test/hole/gt/001.png"),
        ("d2_img_path", "bagel/test/hole/rgb/001.png"),
        ("d3_pc", "bagel/test/hole/xyz/001.tiff"),
        ("d2_mask_path", "/elsewhere/data/bagel/test/hole/gt/001.png"),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_files_of_another_sample_are_refused(tmp_path: Path, key: str, path: str, is_listed: bool) -> None:
    other = {
        name: str(value).replace("000", "001") if "/" in str(value) else value for name, value in entry("").items()
    }
    root = tmp_path / "data"
    write(root, entry("", **{key: path}), *([other] if is_listed else []))
    if not is_listed:
        read_metadata(root)  # files of the own sample may have any names
        (root / other["d2_render_img_path"]).mkdir(parents=True)
    with pytest.raises(InputError, match=r"lists .*001.*, of another sample, for bagel/hole/000"):
        read_metadata(root)
    write(root, entry("", d2_mask_path="bagel/test/hole/masks/mask_000.png"), other)  # names of one's own
    assert len(read_metadata(root)) == 2


@pytest.mark.parametrize("content", [{"test": {}}, {"train": {}, "test": {"bagel": []}}])
def test_empty_lists_are_refused(tmp_path: Path, content: dict) -> None:
    for name in ("all_meta.json", "bagel_meta.json"):
        (tmp_path / name).write_text(json.dumps(content))
    for class_name in (None, "bagel"):
        with pytest.raises(InputError, match="lists no sample; write the JSON files again"):
            read_metadata(tmp_path, class_name)


@pytest.mark.parametrize("class_name", [None, "rope"])
def test_samples_of_another_class_are_refused(tmp_path: Path, class_name: str | None) -> None:
    for name in ("all_meta.json", "rope_meta.json"):
        (tmp_path / name).write_text(json.dumps({"test": {"rope": [entry("")]}}))
    with pytest.raises(InputError, match="sample of class bagel under class rope"):
        read_metadata(tmp_path, class_name)


def test_missing_file_names_the_generator(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="generate_dataset_json"):
        read_metadata(tmp_path, "bagel")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(tmp_path: Path) -> None:
    rendered(tmp_path, "bagel", "good", "000")
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        write_metadata(tmp_path, "mvtec_pc_3d_rgb")
