"""The data set that docs/extending.md shows, exactly as it stands there, through all programs."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from datasets.pipeline import run_pipeline
from sample_scans import closed_shape

from pointad.datasets import registry

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def write_ply(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header"
    np.savetxt(path, points, header=header, comments="", fmt="%.5f")


@pytest.fixture
def raw_bolts(tmp_path: Path) -> Path:
    """Two classes with a good and a dented cloud each."""
    root = tmp_path / "raw"
    for seed, class_name in enumerate(("hex_bolt", "wing_nut")):
        points = closed_shape(2000, seed)
        write_ply(root / class_name / "test" / "good" / "0.ply", points)
        dented = points[:, 0] > 25
        write_ply(root / class_name / "test" / "dent" / "1.ply", points * np.where(dented, 0.9, 1)[:, None])
        np.savetxt(root / class_name / "test" / "dent" / "1.txt", dented, fmt="%d")
    return root


@pytest.mark.usefixtures("quick_backbone")
def test_data_set_of_the_guide(raw_bolts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n# pointad/datasets/bolts.py\n(.*?)```", GUIDE, re.DOTALL)
    file = tmp_path / "bolts.py"
    file.write_text(code)
    specification = importlib.util.spec_from_file_location("bolts", file)
    assert specification is not None and specification.loader is not None
    bolts = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(bolts)
    monkeypatch.setitem(registry.DATASETS, bolts.BOLTS.name, bolts.BOLTS)

    outcome = run_pipeline("bolts_pc_3d", raw_bolts, tmp_path)
    assert list(outcome.listed) == ["hex_bolt", "wing_nut"]
    assert [entry["anomaly"] for entry in outcome.listed["wing_nut"]] == [0, 1]
    assert list(outcome.results["classes"]) == ["wing_nut"]
    assert "Bolts" in outcome.tables
