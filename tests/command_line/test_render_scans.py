"""Scans that belong to no data set are rendered from any format."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import trimesh

from pointad.data import layout

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "render_scans.py"


def test_a_mesh_a_cloud_and_a_broken_file(tmp_path: Path) -> None:
    trimesh.creation.torus(30, 10).export(tmp_path / "ring.stl")
    points = trimesh.creation.icosphere(4).vertices * 7 + 100
    np.save(tmp_path / "ball.npy", points)
    (tmp_path / "broken.ply").write_bytes(b"ply")
    output = tmp_path / "pictures"
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--save_path", str(output), "--views", "x-30", "y45.5"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "2 scans rendered" in done.stdout and "1 failed" in done.stdout and "broken.ply" in done.stderr
    for name in ("ring", "ball"):
        files = layout.SampleFiles(output, name, "unlabelled", name)
        assert layout.is_finished(files, 2) and not layout.is_finished(files, 3)
        views = layout.read_views(files.views, range(2))
        assert (views == 255).mean() < 0.9 and (views < 255).mean() > 0.1
        rendered = layout.read_correspondences(files.correspondences, range(2))
        kept = np.load(files.folder / "points.npy")
        assert kept.shape == (rendered.shape[1], 3)
        if name == "ball":
            np.testing.assert_array_equal(np.unique(kept, axis=0), np.unique(points, axis=0))
    again = subprocess.run(command, capture_output=True, text=True)
    assert "2 scans rendered" in again.stdout  # the pictures it wrote are not taken for scans
