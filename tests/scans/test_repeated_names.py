"""Columns called like the coordinates, in another case, are told in every format with names."""

from pathlib import Path

import numpy as np
import pytest
from numpy.lib.recfunctions import unstructured_to_structured

from pointad.scans.files import read_scan

NAMES = "x y Z X Y z"
VALUES = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)


def write_scan(path: Path, names: str) -> None:
    words = names.split()
    if path.suffix == ".npy":
        kind = np.dtype([(word, np.float32) for word in words])
        np.save(path, unstructured_to_structured(VALUES[:, : len(words)], kind))
        return
    head = f"{names}\n"
    if path.suffix == ".ply":
        properties = "".join(f"property float {word}\n" for word in words)
        head = f"ply\nformat ascii 1.0\nelement vertex 200\n{properties}end_header\n"
    if path.suffix == ".pcd":
        fours, floats, ones = (" ".join([word] * len(words)) for word in "4F1")
        head = f"VERSION .7\nFIELDS {names}\nSIZE {fours}\nTYPE {floats}\nCOUNT {ones}\n"
        head += "WIDTH 200\nHEIGHT 1\nPOINTS 200\nDATA ascii\n"
    rows = (" ".join(map(repr, row)) for row in VALUES[:, : len(words)].tolist())
    path.write_text(head + "\n".join(rows) + "\n")


@pytest.mark.parametrize("suffix", [".xyz", ".ply", ".pcd", ".npy"])
def test_the_first_of_each_is_read(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_scan(tmp_path / f"a{suffix}", NAMES)
    np.testing.assert_allclose(read_scan(tmp_path / f"a{suffix}").points, VALUES[:, :3])
    assert caplog.text.count("has several columns called x, y, Z; the first of each are read") == 1


@pytest.mark.parametrize("suffix", [".ply", ".pcd"])
def test_equal_names(suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_scan(tmp_path / f"a{suffix}", "x y z x")
    np.testing.assert_allclose(read_scan(tmp_path / f"a{suffix}").points, VALUES[:, :3])
    assert "has several columns called x, y, z" in caplog.text


@pytest.mark.parametrize("names", ["x y z nx ny nz", "pos_x pos_y pos_z x y z", "x y z x_nominal y_nominal z_nominal"])
def test_other_names_are_not_mentioned(names: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for suffix in (".xyz", ".ply", ".pcd", ".npy"):
        write_scan(tmp_path / f"a{suffix}", names)
        read_scan(tmp_path / f"a{suffix}")
    assert not caplog.records
