"""Fixtures of the web service: one that runs for all tests that need the real model, and a scan for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from sample_scans import closed_shape


@pytest.fixture(scope="session")
def ply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan of 2,000 points."""
    path = tmp_path_factory.mktemp("scan") / "blob.ply"
    trimesh.PointCloud(closed_shape(2000), np.full((2000, 3), 90, np.uint8)).export(path)
    return path


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a service with the detector that other tests know as `detector`."""
    pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")
    from commands.serving import serving
    from commands.small_inspector import make_inspector

    with serving(make_inspector) as running:
        yield running
