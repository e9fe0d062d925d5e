"""Scans of one's own in a folder, found by patterns or listed in a table."""

import dataclasses
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets.miniatures import clouds, recording, write_picture, write_rows, write_tiff
from datasets.pipeline import run_pipeline
from PIL import Image
from robustness.invocation import assert_one_error_line, invoke, render

from pointad.data.dataset import SampleOptions
from pointad.data.opening import list_dataset
from pointad.data.own_data import settled
from pointad.data.raw import RenderingOptions, list_raw_samples, load_raw_sample
from pointad.datasets.folder import FolderLayout, folder_dataset
from pointad.errors import InputError
from pointad.metrics.regions import REGION_NEIGHBOURS
from pointad.rendering.views import View
from pointad.scans.point_cloud import RawSample
from pointad.scans.reading_options import ReadingOptions

CLOUDS = FolderLayout("{split}/{species}/{class}/cloud/{id}.xyz", None, "{split}/{species}/{class}/labels/{id}*.txt")
SCANS = FolderLayout("test/{species}/xyz_{id}.tiff", "test/{species}/colour_{id}.*", "test/{species}/mask_{id}.png")


@pytest.fixture(scope="module")
def cloud_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clouds of two classes; one more good one is in the split train."""
    root = tmp_path_factory.mktemp("clouds")
    for seed, class_name in enumerate(("bolt", "nut")):
        points, dented, labels = clouds(seed)
        write_rows(root / "test" / "OK" / class_name / "cloud" / "1.xyz", points)
        write_rows(root / "test" / "good" / class_name / "cloud" / "1.xyz", points)
        write_rows(root / "test" / "dent" / class_name / "cloud" / "2.xyz", dented)
        write_rows(root / "test" / "dent" / class_name / "labels" / "2_labels.txt", labels[:, None], fmt="%d")
        write_rows(root / "train" / "good" / class_name / "cloud" / "9.xyz", points)
        (root / "test" / "OK" / class_name / "cloud" / "1.xyz").unlink()
    (root / "notes.xyz").write_text("not a scan\n")
    return root


@pytest.fixture(scope="module")
def scan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Organized scans of one class with pictures of two formats, and the same in a table."""
    root = tmp_path_factory.mktemp("scans") / "gears"
    rows = ["scan,species,rgb,mask,class"]
    for species, bump, ending in (("good", 0.0, "png"), ("lump", 0.01, "jpg")):
        xyz, rgb, mask = recording(bump)
        folder = root / "test" / species
        write_tiff(folder / "xyz_7.tiff", xyz)
        write_picture(folder / f"colour_7.{ending}", rgb)
        write_picture(folder / "mask_7.png", mask)
        for class_name in ("a", "b"):
            names = f"test/{species}/xyz_7.tiff,{species},test/{species}/colour_7.{ending},test/{species}/mask_7.png"
            rows.append(f"{names},{class_name}")
    (root / "samples.csv").write_text("\n".join(rows) + "\n")
    return root


def described(samples: list[RawSample]) -> list[tuple[str, str, str, int]]:
    return [(one.class_name, one.species, one.identifier, one.label) for one in samples]


def listed(root: Path, layout: FolderLayout, classes: list[str] | None = None) -> list[RawSample]:
    return list_raw_samples(folder_dataset(layout), root, classes=classes)


def test_patterns_find_clouds(cloud_folder: Path) -> None:
    samples = listed(cloud_folder, CLOUDS)
    assert described(samples) == [
        ("bolt", "good", "1", 0), ("bolt", "dent", "2", 1), ("nut", "good", "1", 0), ("nut", "dent", "2", 1),
    ]  # fmt: skip
    assert samples[1].mask_path == cloud_folder / "test/dent/bolt/labels/2_labels.txt"
    assert described(listed(cloud_folder, CLOUDS, ["nut"])) == described(samples[2:])
    train = list_raw_samples(folder_dataset(CLOUDS), cloud_folder, split="train")
    assert described(train) == [("bolt", "good", "9", 0), ("nut", "good", "9", 0)]
    dataset = settled(folder_dataset(CLOUDS), cloud_folder, "on_the_fly")
    assert (dataset.organized, dataset.has_color) == (False, False)


def test_masks_without_scans_and_scans_listed_twice_are_told(
    cloud_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(cloud_folder, tmp_path / "own")
    samples = listed(tmp_path / "own", CLOUDS)
    assert not caplog.messages
    lost = next(one for one in samples if one.label)
    lost.scan_path.rename(lost.scan_path.with_suffix(".part"))
    listed(tmp_path / "own", CLOUDS)
    assert f"1 masks belong to no scan, such as {lost.mask_path}" in caplog.text
    scan = samples[0].scan_path.relative_to(tmp_path / "own")
    (tmp_path / "own/link.xyz").symlink_to(scan)
    for other in (f"./{scan}", "link.xyz"):
        caplog.clear()
        (tmp_path / "own/samples.csv").write_text(f"scan,species,id\n{scan},good,1\n{other},good,2\n")
        listed(tmp_path / "own", FolderLayout())
        assert "listed several times in one class, and counted each time: 1 scan, such as" in caplog.text


def test_pictures_beside_masks_are_not_taken_for_masks(
    scan_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(scan_folder, tmp_path / "own")
    for path in list((tmp_path / "own").rglob("mask_7.png")):
        path.rename(path.with_name("7.png"))
    layout = dataclasses.replace(SCANS, masks="test/{species}/{id}.png")
    assert len(listed(tmp_path / "own", layout)) == 2 and not caplog.messages


def test_what_is_doubtful_is_said_once(cloud_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whether the scans have a grid is found out first, when nothing is known of --good_folder."""
    shutil.copytree(cloud_folder, tmp_path / "own")
    for path in list((tmp_path / "own/test").glob("[Gg]ood")):
        path.rename(path.with_name("fine"))
    settled(folder_dataset(CLOUDS), tmp_path / "own", "on_the_fly")
    assert not caplog.messages
    scan = next((tmp_path / "own/test/fine").rglob("*.xyz"))
    scan.rename(scan.with_suffix(".XYZ"))
    dataset = folder_dataset(CLOUDS)
    list_raw_samples(settled(dataset, tmp_path / "own", "on_the_fly"), tmp_path / "own")
    assert sum("in another case" in message for message in caplog.messages) == 1


def test_patterns_find_scans_with_pictures(scan_folder: Path) -> None:
    good, bad = listed(scan_folder, SCANS)
    assert described([good, bad]) == [("gears", "good", "7", 0), ("gears", "lump", "7", 1)]
    assert good.rgb_path is not None and good.rgb_path.suffix == ".png"
    assert bad.rgb_path is not None and bad.rgb_path.suffix == ".jpg"
    prepared = load_raw_sample(bad)
    assert prepared.point_cloud.labels is not None and prepared.point_cloud.labels.any()
    dataset = settled(folder_dataset(SCANS), scan_folder, "on_the_fly")
    assert (dataset.organized, dataset.has_color) == (True, True)


def test_masks_of_another_size_are_counted(scan_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(scan_folder, tmp_path / "own")
    mask = np.asarray(Image.open(tmp_path / "own/test/lump/mask_7.png"))
    write_picture(tmp_path / "own/test/lump/mask_7.png", mask[::2, ::2])
    dataset = settled(folder_dataset(FolderLayout()), tmp_path / "own", "on_the_fly")
    samples = list_dataset(dataset, tmp_path / "own", render="on_the_fly").open(SampleOptions(view_indices=(0,)))
    with caplog.at_level(logging.INFO):
        assert all(samples[place].mask.any() for place in (1, 3))
    said = "is resized to its scan; so is every other picture and mask of another size"
    told = [message for message in caplog.messages if "resized" in message]
    assert told == [f"{tmp_path}/own/test/lump/mask_7.png: {said}"]
    ending = render("folder", tmp_path / "own", tmp_path / "out")
    assert ending.code == 0
    said = "resized to the size of the scan: 2 masks, such as "
    assert [line for line in ending.err.splitlines() if "resized" in line] == [
        f"{said}{tmp_path}/own/test/lump/mask_7.png"
    ]


def test_table_lists_the_same(scan_folder: Path) -> None:
    samples = listed(scan_folder, FolderLayout())
    assert described(samples) == [
        (name, species, "xyz_7", label) for name in "ab" for species, label in (("good", 0), ("lump", 1))
    ]
    assert [one.scan_path for one in samples[:2]] == [one.scan_path for one in listed(scan_folder, SCANS)]


def test_labels_of_clouds_are_one_a_line(cloud_folder: Path) -> None:
    _, dented, labels = clouds(1)
    cloud = load_raw_sample(listed(cloud_folder, CLOUDS)[-1]).point_cloud
    assert cloud.labels is not None
    assert np.allclose(cloud.points[: len(dented)], dented, atol=1e-5)
    assert (cloud.labels[: len(labels)] == labels).all()


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (FolderLayout("test/{kind}/{id}.xyz"), r"unknown placeholder \{kind\}"),
        (FolderLayout("test/{species}/bolt/cloud/{id}.xyz", None, "{kind}/{id}.txt"), r"unknown placeholder \{kind\}"),
        (FolderLayout("{species}{id.xyz"), r"unknown placeholder \{id\.xyz"),
        (FolderLayout("test/good/*/cloud/{id}.xyz"), r"has no \{species\}"),
        (FolderLayout("test/{species}/*/cloud/*.xyz"), r"has no \{id\}"),
        (FolderLayout("test/{species}/bolt/{id}.ply"), r"holds no file matching test/\{species\}/bolt/\{id\}\.ply"),
        (FolderLayout("test/{species}/*/cloud/{id}.xyz"), "has 2 scans called"),
        (
            FolderLayout("test/{species}/bolt/cloud/{id}.xyz", None, "{class}/{id}.txt"),
            "which the scans' pattern lacks",
        ),
        (FolderLayout("test/{species}/bolt/cloud/{id}.xyz", None, "/{id}.txt"), "is not a path inside the folder"),
        (FolderLayout("test/{species}/bolt/cloud/{id}.xyz", None, "../{id}.txt"), "is not a path inside the folder"),
        (FolderLayout("{split}/{species}/{class}/cloud/{id}.xyz", None, "test/*/*/*/*"), "matches both"),
        (FolderLayout("{split}/{species}/{class}/cloud/{id}.xyz", None, ""), "cannot be searched for"),
        (FolderLayout("{split}/{species}/{class}/cloud/{id}.xyz", None, "."), "cannot be searched for"),
        (FolderLayout("{split}/{species}/{class}/cloud/{id}.xyz", None, "a**{id}.txt"), "cannot be searched for"),
        (FolderLayout(), "samples.csv: does not exist"),
        (FolderLayout(table=Path("/dev/null")), "null: is a device"),
    ],
)
def test_patterns_that_cannot_be_meant(cloud_folder: Path, layout: FolderLayout, message: str) -> None:
    with pytest.raises(InputError, match=message):
        listed(cloud_folder, layout)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("scan,rgb\na.ply,\n", "lacks the column species"),
        ("scan,species,colour\na.ply,good,\n", "unknown column colour"),
        ("scan,species\n", "lists no sample"),
        ("scan,species\n,good\n", "no scan or no species in line 2"),
        ("scan,species\na.ply\n", "no scan or no species in line 2"),
        (",scan,species\n\n0,a.ply,good\n,,\n1,,good\n", "no scan or no species in line 5"),
        ("scan,species\na/1.ply,good\nb/1.ply,good\n", "has 2 scans called"),
        ("scan,species,mask\na.ply,dent,a.txt\nb.ply,dent,\n", "is anomalous but has no mask"),
        ("scan,species,split\na.ply,good,tset\n", "unknown split 'tset' in line 2; use test, train, validation"),
        ("scan,species,split\na.ply,good,Train\n", "no scan of the split test; its scans are of train"),
        ("scan,species\na.ply,good\n./a.ply,dent\n", r"lists \./a\.ply as good in line 2 and as dent in line 3"),
        ("scan,species,class\na.ply,dent,x\na.ply,OK,y\n", "as dent in line 2 and as OK in line 3"),
        ("scan,species,split\na.ply,good,train\na.ply,good,test\n", "as train in line 2 and as test in line 3"),
    ],
)
def test_tables_that_cannot_be_meant(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "samples.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        listed(tmp_path, FolderLayout())


def test_splits_are_compared_without_case(tmp_path: Path) -> None:
    rows = "a.ply,good,,test\nb.ply,dent,b.txt,Test\nc.ply,good,, TRAIN\nd.ply,dent,d.txt,\n"
    (tmp_path / "samples.csv").write_text("scan,species,mask,split\n" + rows)
    assert [one.identifier for one in listed(tmp_path, FolderLayout())] == ["a", "b", "d"]
    for name in ("Test/good/1.xyz", "Test/dent/2.xyz", "Train/good/3.xyz"):
        write_rows(tmp_path / name, np.eye(3))
    assert [one.identifier for one in listed(tmp_path, FolderLayout("{split}/{species}/{id}.xyz"))] == ["1", "2"]


def test_scans_without_masks_say_so(cloud_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    listed(cloud_folder, FolderLayout("test/{species}/{class}/cloud/{id}.xyz"))
    said = "no anomalous sample has a mask (--allow_empty_masks): metrics of points are not measured"
    assert caplog.messages == [said]


def test_scans_without_masks_may_be_among_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "a.xyz,good,\nb.xyz,dent,b.txt\nc.xyz,dent,\n"
    (tmp_path / "samples.csv").write_text("scan,species,mask\n" + rows)
    for name in "abc":
        write_rows(tmp_path / f"{name}.xyz", clouds(0)[0])
    with pytest.raises(InputError, match=r"c\.xyz: is anomalous but has no mask.*--allow_empty_masks"):
        listed(tmp_path, FolderLayout())
    allowed = ReadingOptions(allow_empty_masks=True)
    samples = list_raw_samples(folder_dataset(FolderLayout()), tmp_path, reading=allowed)
    prepared = load_raw_sample(samples[-1])
    assert [one.mask_path is None for one in samples] == [True, False, True] and not caplog.messages
    assert prepared.mask is None or not prepared.mask.any()


def test_long_strips_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "strip.npy", np.ones((1200, 250, 3), np.float32))
    (tmp_path / "samples.csv").write_text("scan,species\nstrip.npy,good\n")
    (sample,) = listed(tmp_path, FolderLayout())
    with pytest.raises(InputError, match=r"strip\.npy: is 1200 x 250 pixels, too elongated"):
        load_raw_sample(sample)


def test_pictures_of_clouds_are_refused(cloud_folder: Path) -> None:
    layout = FolderLayout("test/{species}/{class}/cloud/{id}.xyz", "test/{species}/{class}/cloud/{id}.xyz")
    with pytest.raises(InputError, match="correspond to no points"):
        load_raw_sample(listed(cloud_folder, layout)[0])


@pytest.mark.parametrize("first", ["grid.tiff", "cloud.xyz"])
def test_grids_and_clouds_are_not_measured_together(tmp_path: Path, first: str) -> None:
    write_tiff(tmp_path / "grid.tiff", recording(0.0)[0])
    write_rows(tmp_path / "cloud.xyz", clouds(0)[0])
    other = ({"grid.tiff", "cloud.xyz"} - {first}).pop()
    (tmp_path / "samples.csv").write_text(f"scan,species,id\n{first},good,1\n{other},good,2\n")
    dataset = settled(folder_dataset(FolderLayout()), tmp_path, "on_the_fly")
    options = SampleOptions(view_indices=(0,))
    rendering = RenderingOptions(views=(View("x", 0),))
    samples = list_dataset(dataset, tmp_path, render="on_the_fly", rendering=rendering).open(options)
    assert samples[0].identifier == "1"
    with pytest.raises(InputError, match=r"has (a|no) pixel grid, but .* has (none|one); split them") as refused:
        samples[1]
    assert refused.value.subject == str(tmp_path / other) and str(tmp_path / first) in refused.value.problem


@pytest.mark.parametrize(
    "flags",
    [
        ("--dataset", "mvtec_pc_3d_rgb", "--scan_pattern", "{species}/{id}.ply"),
        ("--dataset", "folder", "--mask_pattern", "{species}/{id}.txt"),
        ("--dataset", "folder", "--scan_pattern", "{species}/{id}.ply", "--sample_table", "samples.csv"),
    ],
)
def test_flags_that_do_not_go_together(tmp_path: Path, flags: tuple[str, ...]) -> None:
    ending = invoke(
        "scripts/render_dataset.py", "--data_path", tmp_path / "raw", "--save_path", tmp_path / "out", *flags
    )
    assert_one_error_line(ending, "--")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quick_backbone")
def test_clouds_to_tables(cloud_folder: Path, tmp_path: Path) -> None:
    flags = ("--scan_pattern", CLOUDS.scans, "--mask_pattern", CLOUDS.masks)
    outcome = run_pipeline("folder", cloud_folder, tmp_path, *flags)
    assert list(outcome.results["classes"]) == ["nut"]
    assert outcome.results["run"]["region_neighbours"] == REGION_NEIGHBOURS
    assert set(outcome.results["mean"]) == {"point"}
    assert json.loads((outcome.rendered / "rendering.json").read_text())["views"][:2] == ["x-144", "x-108"]


@pytest.mark.usefixtures("quick_backbone")
def test_scans_with_pictures_to_tables(scan_folder: Path, tmp_path: Path) -> None:
    outcome = run_pipeline("folder", scan_folder, tmp_path)
    assert set(outcome.results["mean"]) == {"point", "color", "fused"}
    assert outcome.results["run"]["region_neighbours"] is None
    names = ["x-45", "x-15", "x0", "x15", "x45", "y-30", "y-15", "y15", "y30"]  # from the front
    assert json.loads((outcome.rendered / "rendering.json").read_text())["views"] == names
    assert set(outcome.results["run"]["view_names"]) <= set(names)
    assert "d2_img_path" in outcome.listed["b"][0] and outcome.listed["b"][0]["d2_mask_path"].endswith("gt/xyz_7.png")
