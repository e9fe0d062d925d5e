"""test.py states how well trivial statistics tell anomalous scans from good ones, from stored and from raw data."""

import json
from pathlib import Path

import pytest
from robustness.invocation import invoke

pytestmark = pytest.mark.usefixtures("ready_backbone")

NAME = "real_pc_3d_rgb"


def test_stored_renderings(two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path) -> None:
    done = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *test_flags)
    assert done.code == 0, done.err
    (of_class,) = json.loads((tmp_path / "out" / "results.json").read_text())["label_leaks"].values()
    assert list(of_class) == ["points", "extent", "holes", "picture_pixels", "picture_bytes"]
    assert set(of_class.values()) <= {0.0, 0.5, 1.0}, "of two samples"
    lines = [line for line in (tmp_path / "out" / "log.txt").read_text().splitlines() if "abels may leak" in line]
    assert len(lines) == 1 and "Not available: scan file size." in lines[0]


def test_raw_scans_of_clouds(raw_archives: dict[str, Path], test_flags: tuple[object, ...], tmp_path: Path) -> None:
    data = ("--dataset", NAME, "--render", "on_the_fly", "--data_path", raw_archives[NAME])
    done = invoke("test.py", *data, "--save_path", tmp_path / "out", *test_flags)
    assert done.code == 0, done.err
    for statistics in json.loads((tmp_path / "out" / "results.json").read_text())["label_leaks"].values():
        assert list(statistics) == ["points", "scan_bytes"]
