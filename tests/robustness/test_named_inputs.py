"""No result replaces a file that another flag names, or the weights that are read by default."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from robustness.invocation import assert_one_error_line, invoke

from pointad.model.weight_locations import demo_folder

RIG = json.dumps({"views": ["x0", "x30"]})
REFUSED = "would be replaced by a result"


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A scan called sheet."""
    path = tmp_path / "sheet.npy"
    np.save(path, np.random.default_rng(0).normal(size=(500, 3)))
    return path


@pytest.mark.parametrize("flag", ["--rig", "--checkpoint_path", "--clip_weights"])
def test_references_replace_nothing_that_is_read(flag: str, scan: Path, tmp_path: Path) -> None:
    (tmp_path / "own.file").write_text(RIG)
    ending = invoke("scripts/reference.py", scan, "--output", tmp_path / "own.file", flag, tmp_path / "own.file")
    assert_one_error_line(ending, "own.file", REFUSED)
    assert (tmp_path / "own.file").read_text() == RIG


def test_references_do_not_replace_the_demo_weights(scan: Path) -> None:
    weights = demo_folder() / "demo_clip.safetensors"
    before = weights.stat()
    (tmp := scan.parent / "demo_clip.safetensors").symlink_to(weights)  # were it replaced, only this link would be
    assert_one_error_line(invoke("scripts/reference.py", scan, "--output", tmp), "demo_clip", REFUSED)
    assert weights.stat() == before and tmp.is_symlink()


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("--rig", "prediction.json"),
        ("--reference", "scores.npy"),
        ("--checkpoint_path", "heat.ply"),
        ("--clip_weights", "cloud.html"),
        ("--good_rgb", "sheet.png"),
    ],
)
def test_predictions_replace_nothing_that_is_read(flag: str, name: str, scan: Path, tmp_path: Path) -> None:
    read = tmp_path / "out" / "sheet" / name
    read.parent.mkdir(parents=True)
    given: tuple[object, ...] = (flag, read)
    if flag == "--good_rgb":
        Image.new("RGB", (4, 4)).save(read)
        given = (flag, read.parent, "--good", scan)
    else:
        read.write_text(RIG)
    before = read.read_bytes()
    assert_one_error_line(invoke("scripts/predict.py", scan, "--output", tmp_path / "out", *given), name, REFUSED)
    assert read.read_bytes() == before


@pytest.mark.parametrize(("script", "name"), [("test.py", "results.json"), ("train.py", "run.json")])
def test_runs_replace_no_rig(script: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(RIG)
    ending = invoke(script, "--data_path", tmp_path, "--save_path", tmp_path, "--rig", tmp_path / name)
    assert_one_error_line(ending, name, REFUSED)
    assert (tmp_path / name).read_text() == RIG


@pytest.mark.parametrize("name", ["scores.csv", "gear/results.json", "gear/1-shot/scores.csv", "shots.csv"])
def test_tests_replace_no_table_of_samples(name: str, tmp_path: Path) -> None:
    table = tmp_path / "out" / name
    table.parent.mkdir(parents=True)
    table.write_text("scan,class\n")
    several = [tmp_path / each / "epoch_1.pth" for each in ("gear", "leaf")] if "gear" in name else []
    flags = ["--dataset", "folder", "--render", "on_the_fly", "--sample_table", table]
    flags += [*(("--checkpoint_path", *several) if several else ()), *(("--shots", 1) if "shot" in name else ())]
    ending = invoke("test.py", "--data_path", tmp_path, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, name, REFUSED)
    assert table.read_text() == "scan,class\n"
