"""Good samples whose masks mark something: the label counts, and the contradiction is logged."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from data.test_multi_view_samples import SIZE
from PIL import Image

from pointad.data.dataset import SampleOptions
from pointad.data.layout import SampleFiles
from pointad.data.metadata import SampleRecord
from pointad.data.raw import RenderingOptions, list_raw_samples, load_raw_sample, render_raw_sample
from pointad.data.rendered_files import write_rendered_sample
from pointad.data.rendered_scan import load_rendered
from pointad.datasets.folder import FolderLayout, folder_dataset
from pointad.files.pictures import write_png
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.views import View
from pointad.scans.reading_options import ReadingOptions


def mark(path: Path) -> None:
    """Mark 40 x 40 pixels in the middle of a mask."""
    mask = np.array(Image.open(path))
    height, width = mask.shape
    mask[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20] = 255
    Image.fromarray(mask).save(path)


def test_marks_of_good_scans_are_not_drawn(mvtec_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(mvtec_root / "bagel", tmp_path / "bagel")
    sample = list_raw_samples("mvtec_pc_3d_rgb", tmp_path)[0]
    load_raw_sample(sample)
    assert not caplog.records
    mark(tmp_path / "bagel/test/good/gt/000.png")
    rendered, prepared = render_raw_sample(sample, RenderingOptions(views=(View("x", 0),)))
    assert prepared.mask is not None and not prepared.mask.any()
    assert not rendered.views_gt.any()
    (said,) = (record.getMessage() for record in caplog.records)
    assert "good/gt/000.png marks 1600 pixels of bagel/good/000, which counts as good" in said


def test_masks_of_a_named_good_folder_are_looked_at(
    mvtec_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(mvtec_root / "bagel/test/good", tmp_path / "bagel/test/gut")
    mark(tmp_path / "bagel/test/gut/gt/000.png")
    first, second = list_raw_samples("mvtec_pc_3d_rgb", tmp_path, reading=ReadingOptions(good_folder="gut"))
    assert not load_raw_sample(first).point_cloud.labels.any()  # type: ignore[union-attr]
    assert second.mask_path is None
    assert "marks 1600 pixels of bagel/good/000" in caplog.text


def test_labels_of_good_clouds_are_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    points = np.random.default_rng(0).normal(size=(2000, 3))
    np.save(tmp_path / "0.npy", points)
    np.save(tmp_path / "labels.npy", (points[:, 0] > 1).astype(int))
    (tmp_path / "samples.csv").write_text("scan,species,mask\n0.npy,good,labels.npy\n")
    (sample,) = list_raw_samples(folder_dataset(FolderLayout()), tmp_path)
    prepared = load_raw_sample(sample)
    assert not prepared.point_cloud.labels.any() and not prepared.mask.any()  # type: ignore[union-attr]
    assert "labels.npy marks" in caplog.text and "/good/0, which counts as good" in caplog.text


def rendered_record(root: Path, label: int) -> SampleRecord:
    """A rendering of one view, all of whose points are visible, with 5 pixels marked in it and 6 in the mask."""
    files = SampleFiles(root, "cup", "good", "000")
    places = np.stack([*np.mgrid[:SIZE, :SIZE], np.ones((SIZE, SIZE), int)], -1).reshape(1, -1, 3)
    picture = np.zeros((1, SIZE, SIZE), np.uint8)
    picture[0, 0, :5] = 255
    pictures = np.repeat(picture[..., None], 3, -1)
    write_rendered_sample(files, RenderedSample(pictures, picture, places.astype(np.int16), np.arange(SIZE * SIZE)))
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[0, :6] = 255
    write_png(files.mask, mask)
    return SampleRecord(
        class_name="cup", species="good", identifier="000", label=label, rgb_path=None, mask_path=files.mask,
        point_cloud_path=None, views_folder=files.views, views_gt_folder=files.views_gt,
        correspondence_folder=files.correspondences,
    )  # fmt: skip


def test_stored_marks_of_good_samples_are_not_learned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = SampleOptions(point_size=SIZE, view_indices=(0,), with_color=False, with_views_gt=True)
    record = rendered_record(tmp_path, label=0)
    anomalous = load_rendered(dataclasses.replace(record, label=1), options)
    assert anomalous.views_gt is not None and anomalous.views_gt.sum() == 5 * 255
    assert not caplog.records
    good = load_rendered(record, options)
    assert good.mask is None and good.views_gt is not None and not good.views_gt.any()
    assert "000.png marks 6 pixels of cup/good/000" in caplog.text

    caplog.clear()
    assert load_rendered(record, dataclasses.replace(options, with_views_gt=False)).views_gt is None  # when testing
    assert "000.png marks 6 pixels" in caplog.text

    caplog.clear()
    assert record.mask_path is not None
    record.mask_path.unlink()
    assert not load_rendered(record, options).views_gt.any()  # type: ignore[union-attr]
    assert "2d_gt/000 marks 5 pixels of cup/good/000" in caplog.text
