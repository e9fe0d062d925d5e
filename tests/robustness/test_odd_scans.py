"""scripts/predict.py on scans whose shape, size, pose, picture or kind of file is out of the ordinary."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from robustness.invocation import Ending, assert_one_error_line, files_below, invoke
from sample_scans import closed_shape, depth_scan

SCAN = depth_scan(90, 120)
CLOUD = closed_shape(300)


@pytest.fixture
def predict(model_flags: tuple[object, ...], golden_weights: Path, tmp_path: Path) -> Callable[..., Ending]:
    flags = (*model_flags, "--checkpoint_path", golden_weights / "prompts.pth", "--output", tmp_path / "out")
    return lambda *arguments: invoke("scripts/predict.py", *arguments, *flags)


def facts(ending: Ending) -> dict[str, dict]:
    return {Path(line["file"]).name: line for line in map(json.loads, ending.out.splitlines())}


def test_what_is_refused_and_why(predict: Callable[..., Ending], tmp_path: Path) -> None:
    reasons = {
        "99 points.npy": "holds 99 points; give a scan with at least 100",
        "long strip.npy": "is 1200 x 250 pixels, too elongated",
        "two rows.npy": "too elongated",
        "line.npy": "all its points lie on one line; give a scan of a surface",
        "1e-310.npy": "give it in a smaller unit",
        "1e305.npy": "give it in a larger unit",
        "absurd length.npy": "impossible shape",
        "pipe.ply": "is a pipe",
        "loop.pcd": "symbolic link in a loop",
        "device.xyz": "is a device",
        "folder of nothing/scan.tiff": "does not exist",
        "a" * 300 + ".ply": "too long",
    }
    np.save(tmp_path / "99 points.npy", CLOUD[:99])
    np.save(tmp_path / "long strip.npy", np.ones((1200, 250, 3), np.float32))
    np.save(tmp_path / "two rows.npy", np.random.default_rng(0).normal(size=(2, 1000, 3)))
    np.save(tmp_path / "line.npy", np.linspace(0, 70, 500)[:, None] * [0.2, -1.0, 3.0] + 100)
    np.save(tmp_path / "1e-310.npy", CLOUD * 1e-310)
    np.save(tmp_path / "1e305.npy", CLOUD * 1e305)
    np.save(tmp_path / "absurd length.npy", np.zeros((0, 3)))
    content = (tmp_path / "absurd length.npy").read_bytes().replace(b"(0, 3)", b"(0, 10000000000000000000000, 3)")
    (tmp_path / "absurd length.npy").write_bytes(content.replace(b" " * 25 + b"\n", b"\n"))
    os.mkfifo(tmp_path / "pipe.ply")
    (tmp_path / "loop.pcd").symlink_to(tmp_path / "loop.pcd")
    (tmp_path / "device.xyz").symlink_to("/dev/zero")
    ending = predict(*(tmp_path / name for name in reasons))
    lines = facts(ending)
    assert ending.code == 2 and len(ending.errors) == len(lines) == len(reasons)
    for name, reason in reasons.items():
        assert reason in lines[Path(name).name]["error"], lines[Path(name).name]
    assert "Traceback" not in ending.err and not files_below(tmp_path / "out")


def test_a_hundred_points_are_enough(predict: Callable[..., Ending], tmp_path: Path) -> None:
    np.save(tmp_path / "100 points.npy", CLOUD[:100])
    ending = predict(tmp_path / "100 points.npy")
    assert ending.code == 0 and facts(ending)["100 points.npy"]["points"] == 100


def test_a_folder_with_pictures_pipes_and_hidden_files(predict: Callable[..., Ending], tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    tifffile.imwrite(folder / "scan.tiff", SCAN, photometric="rgb")
    tifffile.imwrite(folder / "photo.tiff", np.full((90, 120, 3), 7, np.uint8), photometric="rgb")
    (folder / "._scan.tiff").write_bytes(b"\0\5\x16\7")
    os.mkfifo(folder / "pipe.ply")
    (folder / "loop").symlink_to(folder)
    ending = predict(folder)
    lines = facts(ending)
    assert set(lines) == {"scan.tiff", "photo.tiff"} and ending.code == 2
    assert "8-bit image" in lines["photo.tiff"]["error"]
    assert lines["scan.tiff"]["points"] == (SCAN[..., 2] != 0).sum()
    assert "pipe.ply: is not a regular file; skipped" in ending.err


def test_axes_of_a_robot_give_the_same_score(predict: Callable[..., Ending], tmp_path: Path) -> None:
    robot = np.stack([SCAN[..., 2], -SCAN[..., 0], -SCAN[..., 1]], axis=-1)
    np.save(tmp_path / "camera.npy", SCAN)
    np.save(tmp_path / "robot.npy", robot)
    ending = predict(tmp_path / "camera.npy", tmp_path / "robot.npy")
    lines = facts(ending)
    assert ending.code == 0 and ending.err.count("looks along its x axis") == 1
    assert lines["robot.npy"]["score"] == pytest.approx(lines["camera.npy"]["score"], abs=1e-5)
    assert lines["robot.npy"]["points"] == lines["camera.npy"]["points"]


def test_pictures_that_do_not_fit(predict: Callable[..., Ending], tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", SCAN)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (90, 120)).save(tmp_path / "upright.png")
    Image.new("RGB", (120, 90)).save(tmp_path / "turned.jpg", exif=turned)
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("RGB", (120, 90)).save(tmp_path / "postscript.png", format="EPS")
    for name, reason in {
        "upright.png": "is 90 x 120 pixels, which does not match the scan's proportions, 120 x 90",
        "turned.jpg": "is 90 x 120 pixels",
        "pipe.png": "is a pipe",
        "postscript.png": "give a PNG, JPEG, BMP, TIFF or WEBP file",
    }.items():
        assert_one_error_line(predict(tmp_path / "scan.npy", "--rgb", tmp_path / name), name, reason)
