"""Meshes that are scanned lie on the table, and rise above it."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from pointad.errors import InputError
from tools.make_mesh_scans import LIFT, LONGEST, load_mesh


def test_a_mesh_lies_flat_on_the_table(tmp_path: Path) -> None:
    trimesh.creation.box([2, 10, 5]).export(tmp_path / "box.stl")
    low, high = load_mesh(tmp_path / "box.stl").bounds
    np.testing.assert_allclose(high - low, LONGEST * np.array([1, 0.5, 0.2]), rtol=0.02)
    assert low[2] == pytest.approx(LIFT)


def test_shapes_too_flat_to_be_told_from_the_table_are_refused(tmp_path: Path) -> None:
    trimesh.creation.box([8, 10, 0.2]).export(tmp_path / "sheet.stl")
    with pytest.raises(InputError, match=r"too flat: 1\.9 mm high and 95 mm long; name a thicker shape"):
        load_mesh(tmp_path / "sheet.stl")
