"""Which samples a report shows, and their pictures and clouds."""

import io
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from toy_runs import VIEWS

from pointad.data.layout import SampleFiles
from pointad.evaluation.sample_outputs import maps_file
from pointad.report.clouds import scored_cloud
from pointad.report.page import run_page
from pointad.report.runs import Run, SampleScore, read_scores
from pointad.report.samples import (
    best_anomalous,
    encode_picture,
    files_of,
    judge,
    sample_picture,
    saved_maps,
    worst,
)


def score(class_name: str, label: int, value: float, identifier: str = "000") -> SampleScore:
    return SampleScore(class_name, "hole" if label else "good", identifier, label, {"point": value})


def test_margin_is_measured_from_the_middle_of_both_kinds() -> None:
    judged = judge([score("a", 0, 1.0), score("a", 0, 3.0), score("a", 1, 4.0), score("a", 1, 2.0)], "point")
    spread = np.std([1, 3, 4, 2])
    assert [one.margin * spread for one in judged] == pytest.approx([1.5, -0.5, 1.5, -0.5])


def test_classes_that_cannot_be_judged_are_left_out() -> None:
    samples = [score("only good", 0, 1.0), score("equal", 0, 2.0), score("equal", 1, 2.0)]
    assert judge(samples, "point") == []
    assert judge([score("a", 0, 1.0), score("a", 1, 2.0)], "color") == []


def test_best_are_anomalous_and_from_different_classes() -> None:
    samples = [score("a", 0, 0.0), score("b", 0, 0.0), score("b", 1, 1.0), score("a", 0, 0.9)]
    samples += [score("a", 1, 5.0 + index, str(index)) for index in range(3)]
    best = best_anomalous(judge(samples, "point"), 3)
    assert sorted(one.sample.class_name for one in best[:2]) == ["a", "b"]
    assert all(one.sample.label == 1 for one in best)
    assert best[2].sample.identifier == "1"


def test_worst_are_on_the_wrong_side_only() -> None:
    samples = [score("a", 0, 0.0), score("a", 0, 8.0), score("a", 1, 9.0), score("a", 1, 10.0), score("a", 1, 5.0)]
    found = worst(judge(samples, "point"), 5)
    assert [(one.sample.label, one.sample.scores["point"]) for one in found] == [(0, 8.0), (1, 5.0)]
    assert worst(judge([score("a", 0, 0.0), score("a", 1, 1.0)], "point"), 5) == []


def test_wide_pictures_are_made_smaller() -> None:
    picture = encode_picture(np.full((100, 2400, 3), 90, np.uint8))
    assert (picture.width, picture.height) == (1200, 50)
    decoded = Image.open(io.BytesIO(b64decode(picture.address.partition(",")[2])))
    assert decoded.size == (1200, 50)


def test_picture_is_what_test_py_drew(full_run: Run) -> None:
    one = judge(read_scores(full_run), "fused")[0]
    drawn = full_run.folder / "visualization" / "bear" / "good" / "000.png"
    picture = sample_picture(full_run, one, None)
    assert picture is not None
    with Image.open(drawn) as image:
        assert picture.width / picture.height == pytest.approx(image.width / image.height, abs=0.01)


@pytest.fixture
def mapped_run(make_run: Callable[..., Run], tmp_path: Path) -> Run:
    """A run with maps and scans but no pictures; tests may change its files."""
    return make_run(save_maps=True, data_path=str(tmp_path / "data"), image_size=48)


def test_picture_is_made_from_maps(mapped_run: Run, tmp_path: Path, make_run: Callable[..., Run]) -> None:
    one = judge(read_scores(mapped_run), "fused")[0]
    files = SampleFiles(tmp_path / "data", *one.sample.name)
    with_scan, without_scan = (sample_picture(mapped_run, one, each) for each in (files, None))
    assert with_scan is not None and without_scan is not None
    assert with_scan.width > without_scan.width  # RGB and truth stand beside the maps
    assert sample_picture(make_run(), one, None) is None


def test_cloud_holds_the_points_that_are_no_holes(mapped_run: Run, tmp_path: Path) -> None:
    sample = read_scores(mapped_run)[3]
    cloud = scored_cloud(mapped_run, sample, SampleFiles(tmp_path / "data", *sample.name))
    assert cloud is not None
    assert len(cloud.points) == len(cloud.scores) == 48 * 48 - 25
    assert cloud.modality == "fused"
    expected = saved_maps(mapped_run, sample)["fused"]
    assert np.array_equal(cloud.scores[-48:], expected[-1])
    assert cloud.colors is not None and (cloud.colors == 120).all()


def test_cloud_of_a_raw_scan_has_its_points_where_the_test_had_them(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    """Padded to a square of 100 pixels, and without those that were removed from it."""
    run = make_run(save_maps=True, data_path=str(tmp_path / "data"), render="on_the_fly")
    sample = read_scores(run)[3]
    files = SampleFiles(tmp_path / "data", *sample.name)
    xyz = np.ones((50, 100, 3), np.float32)
    tifffile.imwrite(files.xyz, xyz, photometric="rgb")
    Image.fromarray(np.full(xyz.shape, 7, np.uint8)).save(files.rgb)
    maps = maps_file(run.folder, *sample.name)
    with np.load(maps) as archive:
        arrays = dict(archive)
    arrays["valid"][:, :8] = False
    np.savez(maps, **arrays)
    cloud = scored_cloud(run, sample, files)
    assert cloud is not None and cloud.colors is not None and (cloud.colors == 7).all()
    assert np.array_equal(cloud.scores, arrays["fused_map"][12:36, 8:].ravel())


def test_cloud_of_a_list_of_points(mapped_run: Run, tmp_path: Path) -> None:
    sample = read_scores(mapped_run)[3]
    files = SampleFiles(tmp_path / "data", *sample.name)
    files.xyz.unlink()
    files.point_cloud.parent.mkdir(parents=True)
    files.point_cloud.write_text(
        "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 2\nHEIGHT 1\n"
        "VIEWPOINT 0 0 0 1 0 0 0\nPOINTS 2\nDATA ascii\n0 0 1\n1 0 2\n"
    )
    assert scored_cloud(mapped_run, sample, files) is None  # as many points as the map has, or named ones
    files.correspondences.mkdir(parents=True)
    np.save(files.correspondences / "nonzero_indices.npy", np.array([7, 50]))
    cloud = scored_cloud(mapped_run, sample, files)
    assert cloud is not None
    assert np.array_equal(cloud.scores, saved_maps(mapped_run, sample)["fused"].ravel()[[7, 50]])


def test_no_cloud_without_maps_or_scan(mapped_run: Run, tmp_path: Path, make_run: Callable[..., Run]) -> None:
    sample = read_scores(mapped_run)[0]
    present, missing = (SampleFiles(tmp_path / name, *sample.name) for name in ("data", "elsewhere"))
    assert scored_cloud(mapped_run, sample, None) is None
    assert scored_cloud(mapped_run, sample, missing) is None
    assert scored_cloud(make_run(), sample, present) is None


@pytest.mark.parametrize("changed", ["mask", "points", "picture", "views"])
def test_scans_that_were_replaced_after_the_test_are_not_shown(
    changed: str, mapped_run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, sample = (one.sample for one in best_anomalous(judge(read_scores(mapped_run), "fused"), 2))
    for each in (first, sample):
        rendered = SampleFiles(tmp_path / "data", *each.name)
        rendered.correspondences.mkdir(parents=True)
        rendered.views.mkdir(parents=True)
        for number, view in enumerate(VIEWS):
            Image.fromarray(view).save(rendered.views / f"view_{number}.png")
    files = files_of(mapped_run, sample, tmp_path / "data")
    assert files is not None and files_of(mapped_run, sample, None) is None
    whole = run_page(mapped_run)
    if changed == "mask":
        Image.fromarray(np.eye(48, dtype=np.uint8) * 255).save(files.mask)
    elif changed == "views":
        Image.fromarray(VIEWS[0] // 2).save(files.views / "view_8.png")
    elif changed == "picture":
        Image.fromarray(np.full((48, 48, 3), 121, np.uint8)).save(files.rgb)
    else:
        np.save(files.correspondences / "nonzero_indices.npy", np.array([7, 50]))
    assert files_of(mapped_run, sample, tmp_path / "data") is None
    assert f"{'/'.join(sample.name)} is another scan than when {mapped_run.folder} was written" in caplog.text
    assert files_of(mapped_run, first, tmp_path / "data") is not None
    assert run_page(mapped_run) != whole


def test_a_scan_whose_mask_marked_nothing_in_the_test_is_not_shown_with_one_that_does(
    mapped_run: Run, tmp_path: Path
) -> None:
    """As with --allow_empty_masks."""
    (one,) = best_anomalous(judge(read_scores(mapped_run), "fused"), 1)
    files = SampleFiles(tmp_path / "data", *one.sample.name)
    files.correspondences.mkdir(parents=True)
    marked = np.array(Image.open(files.mask))
    maps = maps_file(mapped_run.folder, *one.sample.name)
    with np.load(maps) as archive:
        arrays = dict(archive)
    np.savez(maps, **arrays | {"mask": np.zeros_like(arrays["mask"])})
    assert files_of(mapped_run, one.sample, tmp_path / "data") is None
    Image.fromarray(np.zeros_like(marked)).save(files.mask)
    assert files_of(mapped_run, one.sample, tmp_path / "data") is not None
