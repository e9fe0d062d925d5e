"""Rendering a data set again whose raw files have changed: nothing of the earlier rendering passes for the new one."""

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from pointad.commands import render_dataset
from pointad.data.export import FAILED, RENDERED, Outcome, export_samples, output_files
from pointad.data.layout import SampleFiles
from pointad.data.listing import write_metadata
from pointad.data.metadata import read_metadata
from pointad.data.raw import RenderingOptions, list_raw_samples
from pointad.data.rendered_files import write_rendered_sample
from pointad.data.rendering_settings import agree_on_settings, note_source, other_sources
from pointad.data.staleness import sources_of
from pointad.errors import InputError
from pointad.files.locks import try_lock
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.views import View
from pointad.scans.pcd import note_of_pcd, write_pcd

MVTEC = "mvtec_pc_3d_rgb"
OPTIONS = RenderingOptions(views=(View("x", 0),), image_size=64)


@pytest.fixture
def raw(mvtec_root: Path, tmp_path: Path) -> Path:
    """One class of which one good and one anomalous scan are left."""
    shutil.copytree(mvtec_root / "bagel", tmp_path / "raw" / "bagel")
    (tmp_path / "raw/bagel/test/good/xyz/001.tiff").unlink()
    return tmp_path / "raw"


def rendered(raw: Path, *, overwrite: bool = False) -> list[Outcome]:
    samples = list_raw_samples(MVTEC, raw)
    return list(export_samples(samples, raw.parent / "out", OPTIONS, overwrite=overwrite))


def test_a_picture_that_is_no_longer_there_is_not_kept(raw: Path) -> None:
    rendered(raw)
    shutil.rmtree(raw / "bagel/test/bump/rgb")
    assert [outcome.status for outcome in rendered(raw, overwrite=True)] == [RENDERED, RENDERED]
    write_metadata(raw.parent / "out", MVTEC)
    assert [record.rgb_path is not None for record in read_metadata(raw.parent / "out")] == [True, False]


def test_files_dated_in_the_future_are_not_outdated_for_ever(raw: Path) -> None:
    rendered(raw)
    os.utime(raw / "bagel/test/good/xyz/000.tiff", (time.time() + 1e6,) * 2)
    assert [outcome.outdated for outcome in rendered(raw)] == [True, False]
    rendered(raw, overwrite=True)
    assert [outcome.outdated for outcome in rendered(raw)] == [False, False]


def test_renderings_of_another_raw_data_set_are_told(raw: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told(name: str, *more: str) -> bool:
        caplog.clear()
        flags = ["--dataset", MVTEC, "--data_path", str(raw.parent / name), "--save_path", str(raw.parent / "out")]
        flags += ["--views", "x0", "--num_workers", "1", *more]
        assert render_dataset.main(render_dataset.build_parser().parse_args(flags)) == 0
        message = f"out: was also rendered from {raw}; 2 scans that this run did not render may be from there, such as"
        return message in caplog.text

    shutil.copytree(raw, raw.parent / "other")
    assert not told("raw")
    assert not told("raw")
    assert told("other")
    shutil.copytree(raw, raw.parent / "part")
    (raw.parent / "part" / "bagel").rename(raw.parent / "part" / "tire")
    assert not told("part") and "may be from there" not in caplog.text, "none of its scans is in the others"
    assert not told("part") and "may be from there" not in caplog.text
    assert not told("other", "--overwrite")
    assert not told("other")
    (raw.parent / "other").rename(raw.parent / "moved")
    shutil.rmtree(raw.parent / "part")
    assert not told("moved") and "other, which no longer exists; " in caplog.text
    assert not told("moved") and "no longer exists" not in caplog.text, "which is told once"


def test_scans_that_a_run_on_another_raw_data_set_renders_meanwhile_are_told(
    raw: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The other run has started, so that it has some of the scans, but has finished none."""
    output, other = raw.parent / "out", raw.parent / "other"
    shutil.copytree(raw, other)
    parser = render_dataset.build_parser()
    flags = ["--dataset", MVTEC, "--save_path", str(output), "--views", "x0", "--num_workers", "1", "--data_path"]
    files = [output_files(sample, output) for sample in list_raw_samples(MVTEC, other)]
    output.mkdir()
    agree_on_settings(output, MVTEC, RenderingOptions(views=(View("x", 0),)))
    note_source(output, other, afresh=False)
    with try_lock(files[0].lock) as is_ours:
        assert is_ours
        assert render_dataset.main(parser.parse_args([*flags, str(raw)])) == 0
    message = f"out: was also rendered from {other}; 1 scan that this run did not render may be from there, such as"
    assert message in caplog.text
    caplog.clear()
    # The other one ends later, and finds out about this one, which was noted before it rendered anything.
    assert other_sources(output, other) == [str(raw)]
    assert render_dataset.main(parser.parse_args([*flags, str(other)])) == 0
    assert f"out: was also rendered from {raw}; 1 scan that this run did not render" in caplog.text


def test_earlier_renderings_of_failed_scans_are_told(
    raw: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rendered(raw)
    scan = raw / "bagel/test/good/xyz/000.tiff"
    scan.write_bytes(b"no tiff")
    outcomes = rendered(raw, overwrite=True)
    assert [(outcome.status, outcome.kept) for outcome in outcomes] == [(FAILED, True), (RENDERED, False)]
    flags = ["--dataset", MVTEC, "--data_path", str(raw), "--save_path", str(raw.parent / "out"), "--overwrite"]
    flags += ["--views", "x0", "--num_workers", "1"]
    shutil.rmtree(raw.parent / "out")
    scan.write_bytes((raw / "bagel/test/bump/xyz/000.tiff").read_bytes())
    parser = render_dataset.build_parser()
    assert render_dataset.main(parser.parse_args(flags)) == 0
    scan.write_bytes(b"no tiff")
    assert render_dataset.main(parser.parse_args(flags)) == 2
    assert f"1 failed scans keep their earlier renderings, which are listed, such as {scan}" in caplog.text
    assert "2 samples of 1 class listed" in capsys.readouterr().out


def test_other_masks_and_pictures_are_noticed_whatever_their_dates(raw: Path) -> None:
    """As after a change of --mask_pattern, or when masks are unpacked that were not there before."""
    rendered(raw)
    for kind in ("gt", "rgb"):
        folder = raw / "bagel/test/bump" / kind
        picture = folder / "000.png"
        os.utime(picture, (1e9, 1e9))
        picture.rename(folder / "000.bmp")
        assert [outcome.outdated for outcome in rendered(raw)] == [False, True]
        (folder / "000.bmp").rename(picture)
        assert [outcome.outdated for outcome in rendered(raw)] == [False, False]
    long = dataclasses.replace(list_raw_samples(MVTEC, raw)[0], mask_path=raw / "/".join(100 * ["x" * 100]))
    assert len(sources_of(long)) < 100
    moved = raw.rename(raw.parent / "moved")
    assert [outcome.outdated for outcome in rendered(moved)] == [False, False]


def test_impossible_names_of_earlier_raw_data_are_forgotten(raw: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw.mkdir(exist_ok=True)
    for name in ("a" * 300, "a\0b"):
        (raw / "rendering.json").write_text(json.dumps({"sources": [name]}))
        note_source(raw, raw, afresh=False)
        assert json.loads((raw / "rendering.json").read_text()) == {"sources": [str(raw)]}
    assert caplog.text.count("no longer exists") == 2


def test_a_pipe_in_place_of_a_labelled_cloud_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "000.pcd"
    os.mkfifo(path)
    with path.open("r+b", buffering=0) as pipe:
        pipe.write(b"# .PCD v0.7\n# a note\n")
        assert note_of_pcd(path) is None
    path.unlink()
    write_pcd(path, np.zeros((1, 3)), note="a note")
    assert note_of_pcd(path) == "a note"


@pytest.mark.parametrize("name", ["2d_rendering/000", "2d_gt/000", "2d_3d_cor/000", "2d_gt/.000.partial"])
def test_a_pipe_in_place_of_a_folder_is_not_waited_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = SampleFiles(tmp_path, "bagel", "good", "000")
    pictures, places = np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 16, 3), np.int16)
    sample = RenderedSample(pictures, pictures[..., 0], places, None)
    write_rendered_sample(files, sample)
    path = files.folder / name
    if path.exists():
        shutil.rmtree(path)
    os.mkfifo(path)
    remove = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda place, **_: remove(place) if place.is_dir() else pytest.fail("opened"))
    with pytest.raises(InputError, match=r"000(\.partial)?: is a named pipe \(FIFO\), not a folder"):
        write_rendered_sample(files, sample)
