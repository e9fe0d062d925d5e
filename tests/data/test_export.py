"""Rendering to disk: the files are what rendering in memory gives, runs can be killed, failures stay alone."""

import dataclasses
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import open3d
import pytest
import tifffile
import torch
from PIL import Image

from pointad.commands import render_dataset
from pointad.commands.render_settings import drawing_device
from pointad.data import layout, rendered_files
from pointad.data.export import FAILED, RENDERED, SKIPPED, export_samples
from pointad.data.listing import write_metadata
from pointad.data.metadata import read_metadata
from pointad.data.raw import RenderingOptions, list_raw_samples, load_raw_sample, render_raw_sample
from pointad.errors import InputError
from pointad.files.pictures import read_picture
from pointad.rendering.batched_drawing import check_device
from pointad.rendering.views import View
from pointad.scans.point_cloud import RawSample

REPOSITORY = Path(__file__).resolve().parents[2]
TWO_VIEWS = RenderingOptions(views=(View("x", -15), View("y", 30)))


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("dataset", ["mvtec_pc_3d_rgb", "eye_pc_3d_rgb", "real_pc_3d_rgb"])
def test_files_hold_what_rendering_in_memory_gives(
    dataset: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fixture = {"mvtec_pc_3d_rgb": "mvtec_root", "eye_pc_3d_rgb": "eyecandies_root", "real_pc_3d_rgb": "real3d_root"}
    raw_root = request.getfixturevalue(fixture[dataset])
    before = digest(raw_root)
    samples = list_raw_samples(dataset, raw_root)[:3]
    outcomes = list(export_samples(samples, tmp_path, TWO_VIEWS))
    assert [outcome.status for outcome in outcomes] == [RENDERED] * len(samples)
    write_metadata(tmp_path, dataset)
    records = {(r.class_name, r.species, r.identifier): r for r in read_metadata(tmp_path)}
    assert len(records) == len(samples)
    for sample in samples:
        record = records[sample.class_name, sample.species, sample.identifier]
        rendered, prepared = render_raw_sample(sample, TWO_VIEWS)
        rgb, mask = prepared.rgb, prepared.mask if sample.label else None
        assert record.label == sample.label and record.mask_path is not None
        read = rendered_files.read_views(record.views_folder, range(2))
        np.testing.assert_array_equal(read, np.repeat(rendered.views[..., None], 3, axis=-1))
        np.testing.assert_array_equal(rendered_files.read_views_gt(record.views_gt_folder, range(2)), rendered.views_gt)
        read = rendered_files.read_correspondences(record.correspondence_folder, range(2))
        np.testing.assert_array_equal(read, rendered.correspondences)
        indices = rendered_files.read_nonzero_indices(record.correspondence_folder)
        np.testing.assert_array_equal(indices, rendered.nonzero_indices)
        stored_mask = rendered_files.read_mask(record.mask_path)
        np.testing.assert_array_equal(stored_mask, np.zeros_like(stored_mask) if mask is None else mask)
        assert stored_mask.any() == bool(sample.label)
        assert (record.rgb_path is None) == (rgb is None)
        if record.rgb_path is not None:
            np.testing.assert_array_equal(read_picture(record.rgb_path, "RGB"), rgb)
    assert digest(raw_root) == before


def test_other_libraries_read_the_files(mvtec_root: Path, tmp_path: Path) -> None:
    sample = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[2]
    list(export_samples([sample], tmp_path, TWO_VIEWS))
    prepared = load_raw_sample(sample)
    files = layout.SampleFiles(tmp_path, "bagel", "bump", "000")
    np.testing.assert_array_equal(tifffile.imread(files.xyz), prepared.xyz)
    cloud = open3d.io.read_point_cloud(files.point_cloud)
    np.testing.assert_allclose(np.asarray(cloud.points), prepared.point_cloud.points, atol=1e-7)
    np.testing.assert_allclose(np.asarray(cloud.colors) * 255, prepared.point_cloud.colors, atol=1e-6)
    labelled = open3d.io.read_point_cloud(files.labelled_point_cloud)
    np.testing.assert_array_equal(np.asarray(labelled.colors)[:, 0] > 0.5, prepared.point_cloud.labels)


def test_one_bad_scan_stops_none_of_the_others(mvtec_root: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(mvtec_root, raw)
    (raw / "bagel/test/good/xyz/000.tiff").write_bytes(b"no tiff")
    tifffile.imwrite(raw / "bagel/test/good/xyz/001.tiff", np.zeros((100, 128, 3), np.float32), photometric="rgb")
    samples = list_raw_samples("mvtec_pc_3d_rgb", raw, classes=["bagel"])
    outcomes = list(export_samples(samples, tmp_path / "out", TWO_VIEWS))
    assert [outcome.status for outcome in outcomes] == [FAILED, FAILED, RENDERED]
    assert "good/xyz/000.tiff" in outcomes[0].message
    assert "good/xyz/001.tiff: holds no points" in outcomes[1].message
    again = list(export_samples(samples, tmp_path / "out", TWO_VIEWS))
    assert sorted(outcome.status for outcome in again) == [FAILED, FAILED, SKIPPED]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "cannot be rendered (there is not enough memory); run again with fewer --num_workers"),
        (MemoryError("Open3D cannot be loaded"), "cannot be rendered (Open3D cannot be loaded); run again with"),
        (AssertionError(), "AssertionError"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_errors_without_a_text_say_what_they_are(
    error: Exception, said: str, mvtec_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(sample: RawSample) -> None:
        raise error

    monkeypatch.setattr("pointad.data.export.load_raw_sample", fail)
    sample = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[0]
    (outcome,) = export_samples([sample], tmp_path, TWO_VIEWS)
    assert outcome.status == FAILED and outcome.message.startswith(f"{sample.scan_path}: {said}")
    assert not outcome.message.endswith((":", ": "))


@pytest.mark.slow
def test_what_workers_log_is_written_by_the_parent(
    mvtec_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which makes one printable line of it, and writes what is not a warning, too."""
    shutil.copytree(mvtec_root / "own_part", tmp_path / "raw" / "own_part")
    mask = np.full((128, 128), 255, np.uint8)
    mask[:9] = 0
    Image.fromarray(mask).save(tmp_path / "raw/own_part/test/bump/gt/000.png")
    samples = list_raw_samples("mvtec_pc_3d_rgb", tmp_path / "raw")
    told = []
    for workers in (1, 2):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            list(export_samples(samples, tmp_path / f"{workers}", TWO_VIEWS, workers=workers))
        told.append(sorted((record.name, record.levelname, record.getMessage()) for record in caplog.records))
    assert told[0] == told[1] and "marks 93 % of the picture" in str(told[1])


def test_an_interrupt_behind_another_error_is_no_failed_scan(
    mvtec_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(sample: RawSample) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise ImportError("initialization failed") from interrupt

    monkeypatch.setattr("pointad.data.export.load_raw_sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(export_samples(list_raw_samples("mvtec_pc_3d_rgb", mvtec_root), tmp_path / "out", TWO_VIEWS))


def program(mvtec_root: Path, output: Path, *flags: str) -> list[str]:
    script = str(REPOSITORY / "scripts" / "render_dataset.py")
    paths = ["--data_path", str(mvtec_root), "--save_path", str(output)]
    return [sys.executable, script, "--dataset", "mvtec_pc_3d_rgb", *paths, "--views", "x-15", "y30", *flags]


@pytest.mark.slow
def test_killed_and_run_again_in_any_number_of_processes(mvtec_root: Path, tmp_path: Path) -> None:
    whole = subprocess.run(
        program(mvtec_root, tmp_path / "whole", "--num_workers", "1"), capture_output=True, text=True
    )
    assert whole.returncode == 0, whole.stderr
    assert "6 scans rendered, 0 already finished, 0 failed" in whole.stdout
    killed = subprocess.Popen(
        program(mvtec_root, tmp_path / "killed", "--num_workers", "2"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not any("view_0.png" in files for _, _, files in os.walk(tmp_path / "killed")):  # folders come and go
        assert os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)  # a worker that lives on would still write when the others are done
    killed.wait()
    again = subprocess.run(
        program(mvtec_root, tmp_path / "killed", "--num_workers", "2"), capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def test_the_program_counts_failures(mvtec_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(mvtec_root / "bagel", tmp_path / "raw" / "bagel")
    (tmp_path / "raw/bagel/test/good/xyz/000.tiff").write_bytes(b"no tiff")
    flags = program(tmp_path / "raw", tmp_path / "out", "--num_workers", "1")[2:]
    assert render_dataset.main(render_dataset.build_parser().parse_args(flags)) == 2
    output = capsys.readouterr()
    assert "2 scans rendered, 0 already finished, 1 failed" in output.out and "good/xyz/000.tiff" in output.err
    assert len(read_metadata(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("save_path", "said"),
    [
        ("raw", "is the raw data set itself"),
        ("raw/rendered", "lies in the raw data set"),
        ("linked/rendered", "lies in the raw data set"),
        (".", "holds the raw data set"),
        ("class", "leads into the raw data set"),
        ("species", "leads into the raw data set"),
        ("kind", "leads into the raw data set"),
    ],
)
def test_the_program_never_writes_into_the_archive(save_path: str, said: str, mvtec_root: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(mvtec_root / "bagel", tmp_path / "disk" / "bagel")
    raw.mkdir()
    (raw / "bagel").symlink_to(tmp_path / "disk" / "bagel")  # archives may be spread over disks themselves
    (tmp_path / "linked").symlink_to(raw)
    for name, inner in (("class", "bagel"), ("species", "bagel/test/good"), ("kind", "bagel/test/good/rgb")):
        (tmp_path / name / inner).parent.mkdir(parents=True)
        (tmp_path / name / inner).symlink_to(raw / inner)
    before = digest(tmp_path / "disk")
    flags = program(raw, tmp_path / save_path, "--num_workers", "1")[2:]
    with pytest.raises(InputError, match=said):
        render_dataset.main(render_dataset.build_parser().parse_args(flags))
    assert digest(tmp_path / "disk") == before and sorted(raw.iterdir()) == [raw / "bagel"]


def test_the_program_replaces_no_other_raw_data_set(mvtec_root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(mvtec_root / "bagel", other / "bagel")
    before = digest(other)
    flags = program(mvtec_root, other, "--num_workers", "1")[2:]
    with pytest.raises(InputError, match=r"holds bagel/test/\S+ and no renderings: another raw data set"):
        render_dataset.main(render_dataset.build_parser().parse_args(flags))
    assert {name: content for name, content in digest(other).items() if not name.endswith(".lock")} == before


@pytest.mark.parametrize(
    ("script", "dataset"),
    [("mvtec3d-ad", "mvtec_pc_3d_rgb"), ("eyecandies", "eye_pc_3d_rgb"), ("real3d-ad", "real_pc_3d_rgb")],
)
def test_generators(script: str, dataset: str, tmp_path: Path, mvtec_root: Path) -> None:
    sample = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[2]
    list(export_samples([sample], tmp_path, TWO_VIEWS))
    (tmp_path / "rendering.json").unlink(missing_ok=True)  # as renderings that were made elsewhere
    done = subprocess.run(
        [
            sys.executable,
            f"{script}.py",
            "--data_path",
            os.path.relpath(tmp_path, REPOSITORY / "generate_dataset_json"),
        ],
        cwd=REPOSITORY / "generate_dataset_json",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "bagel: 1 samples (1 bump)" in done.stdout
    write_metadata(tmp_path / ".", dataset)
    assert read_metadata(tmp_path, "bagel") == read_metadata(tmp_path)


def test_drawing_on_a_device_gives_the_same_files(mvtec_root: Path, tmp_path: Path) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[1:3]
    for device in (None, "cpu"):
        outcomes = list(export_samples(samples, tmp_path / str(device), dataclasses.replace(TWO_VIEWS, device=device)))
        assert [outcome.status for outcome in outcomes] == [RENDERED] * len(samples)
    files = [path.relative_to(tmp_path / "None") for path in (tmp_path / "None").rglob("*.*") if path.is_file()]
    assert {".png", ".npy", ".json"} <= {path.suffix for path in files}
    for path in files:
        one, other = tmp_path / "None" / path, tmp_path / "cpu" / path
        if path.suffix == ".png":
            difference = read_picture(one, "grey").astype(int) - read_picture(other, "grey")
            assert np.abs(difference).max() <= 1, path
        else:
            assert one.read_bytes() == other.read_bytes(), path


def test_devices_that_cannot_draw_are_refused_before_anything_is_rendered() -> None:
    assert drawing_device("cpu") is None
    with pytest.raises(InputError, match="not available"):
        drawing_device("cuda:99")
    with pytest.raises(InputError, match="double precision"):
        check_device(torch.device("mps"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_that_is_replaced_gets_no_renderings_of_a_run_that_began_before(
    workers: int, mvtec_root: Path, tmp_path: Path
) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)
    assert len(samples) > 2
    out = tmp_path / "out"
    outcomes = export_samples(samples, out, TWO_VIEWS, workers=workers)
    next(outcomes)
    out.rename(tmp_path / "moved")
    out.mkdir()
    with pytest.raises(InputError, match="out: was removed, moved or replaced while this run worked in it"):
        list(outcomes)
    assert not digest(out)
