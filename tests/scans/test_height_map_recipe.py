"""The recipe for height maps in docs/formats.md makes a scan that is read with its holes, and dents stay dents."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pointad.scans.files import read_scan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


def test_the_recipe_makes_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (recipe,) = re.findall(r"## Height maps\n.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    rows, columns = np.indices((60, 90))
    dent = np.hypot(rows - 20, columns - 50) < 8
    heights = np.where(dent, 900, 1000).astype(np.uint16)
    heights[:3, :5] = 0
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("height.tif", heights)
    exec(compile(recipe, str(PAGE), "exec"), {})
    scan = read_scan("height.npy")
    assert scan.points.shape == (60, 90, 3)
    np.testing.assert_array_equal(scan.present, heights > 0)
    np.testing.assert_allclose(np.ptp(scan.points[scan.present], axis=0), [89 * 0.0125, 59 * 0.0125, 100 * 0.0008])
    assert scan.points[dent, 2].min() > scan.points[~dent & scan.present, 2].max()  # farther from the camera
