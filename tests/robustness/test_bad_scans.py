"""scripts/predict.py on scans that cannot be predicted: a line for each, the others go on, exit code 2."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from robustness.invocation import assert_one_error_line, files_below, invoke

Points = Callable[[], np.ndarray]
CLOUD = np.random.default_rng(0).normal(size=(150, 3)) * [3.0, 2.0, 1.0]
LINE = np.linspace(0, 1, 150)[:, None] * [1.0, 2.0, 3.0]


def with_values(value: float) -> np.ndarray:
    points = CLOUD.copy()
    points[::3, 1] = value
    return points


REFUSED = {
    "none": np.zeros((0, 3)),
    "two": CLOUD[:2],
    "identical": np.ones((150, 3)),
    "nan": np.full((150, 3), np.nan),
    "infinite": np.full((150, 3), np.inf),
    "two columns": CLOUD[:, :2],
    "collinear": LINE,
    "all holes": np.zeros((20, 20, 3)),
}
TAKEN = {
    "some nan": with_values(np.nan),
    "some infinite": with_values(np.inf),
    "huge": CLOUD * 1e30,
    "tiny": CLOUD * 1e-30,
    "far away": CLOUD + 1e6,
    "flat": CLOUD * [1, 1, 0],
}


@pytest.fixture
def predict(model_flags: tuple[object, ...], golden_weights: Path, tmp_path: Path) -> Callable:
    flags = (*model_flags, "--checkpoint_path", golden_weights / "prompts.pth", "--output", tmp_path / "out")
    return lambda *arguments: invoke("scripts/predict.py", *arguments, *flags)


def test_refused_and_taken(predict: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, points in {**REFUSED, **TAKEN}.items():
        np.save(folder / f"{name}.npy", points)
    broken = {
        "empty.ply": b"",
        "no.ply": b"ply\nnothing",
        "a.pcd": b"FIELDS x y z",
        "b.stl": b"\0" * 84,
        "c.tiff": b"II*\0",
        "d.npz": b"PK\x03\x04",
        "e.obj": b"f 1 2 3\n",
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    ending = predict(folder, tmp_path / "missing.ply", folder / "unknown.ending")
    assert ending.code == 2
    lines = {Path(line["file"]).name: line for line in map(json.loads, ending.out.splitlines())}
    refused = {f"{name}.npy" for name in REFUSED} | set(broken) | {"missing.ply", "unknown.ending"}
    assert {name for name, line in lines.items() if "error" in line} == refused
    assert len(ending.errors) == len(refused)
    assert all(";" in line for line in ending.errors)
    assert f"{len(refused)} could not be inspected" in ending.err
    assert "Traceback" not in ending.err
    for name in TAKEN:
        assert np.isfinite(lines[f"{name}.npy"]["score"]), name
        scores = np.load(tmp_path / "out" / name / "scores.npy")
        assert scores.shape == (150,) and np.isfinite(scores).all(), name
    assert not [name for name in REFUSED if files_below(tmp_path / "out" / name)]


def test_pictures_of_another_kind(predict: Callable, tmp_path: Path) -> None:
    np.save(tmp_path / "cloud.npy", CLOUD)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ending = predict(tmp_path / "cloud.npy", "--rgb", tmp_path / "broken.png")
    assert ending.code == 2 and "broken.png" in ending.errors[0]
    ending = predict(tmp_path / "cloud.npy", "--rgb", tmp_path / "gone.png")
    assert ending.code == 2 and "gone.png" in ending.errors[0]


def test_nothing_to_calibrate_with(predict: Callable, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    assert_one_error_line(predict("--calibrate", tmp_path / "good"), "good")


def test_names_that_no_encoding_knows(predict: Callable, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/Pr\xfcfling \xe6\xa3\x80.npy"
    with open(path, "wb") as file:  # noqa: PTH123
        np.save(file, CLOUD)
    ending = predict(os.fsdecode(path))
    assert ending.code == 0, ending.err
    assert json.loads(ending.out)["points"] == 150


def test_binary_promises(predict: Callable, tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(b"\0" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 50)
    ending = predict(tmp_path / "a.stl")
    assert_one_error_line(ending, "a.stl")
