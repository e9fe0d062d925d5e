"""scripts/predict.py on every dialect of every format: the file's points, where and in the colours it has them."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from dialects.arrays import ARRAYS, REFUSED_ARRAYS
from dialects.base import Dialect
from dialects.meshes import EXTENT, MESHES, OBJ, REFUSED_MESHES
from dialects.other_formats import REFUSED_OTHERS
from dialects.pcd import PCD, REFUSED_PCD
from dialects.ply import PLY, REFUSED_PLY
from dialects.text import REFUSED_TEXT, TEXT
from dialects.tiff import REFUSED_TIFF, TIFF
from plyfile import PlyData
from robustness.invocation import Ending, files_below, invoke

from pointad.scans.meshes import MESH_POINTS

FORMATS = {"text": TEXT, "array": ARRAYS, "pcd": PCD, "ply": PLY, "obj": OBJ, "tiff": TIFF, "mesh": MESHES}
REFUSALS = {
    "text": REFUSED_TEXT,
    "array": REFUSED_ARRAYS,
    "pcd": REFUSED_PCD,
    "ply": REFUSED_PLY,
    "mesh": REFUSED_MESHES,
    "tiff": REFUSED_TIFF,
    "other": REFUSED_OTHERS,
}
# A prediction takes a second: some of each format in the fast tests, all of them in a slow one.
CHOSEN = {
    "text": ("semicolons and decimal commas", "index of pandas", "UTF-16", "-9999", "shuffled index", "zeros as holes"),
    "array": ("planes", "batch of one cloud", "other names", "vertices of RealSense"),
    "pcd": ("grid", "doubles compressed", "r g b"),
    "ply": ("upper case", "list before", "a dummy face"),
    "obj": ("colours to 255",),
    "tiff": ("pages", "1e10"),
    "mesh": ("mixed polygons", "relative indices"),
}
EVERY = {format_name: tuple(dialects) for format_name, dialects in FORMATS.items()}


@pytest.mark.parametrize("chosen", [CHOSEN, pytest.param(EVERY, marks=pytest.mark.slow)], ids=["some", "all"])
def test_points_extents_and_what_is_said(
    chosen: dict[str, tuple[str, ...]], tmp_path: Path, golden_weights: Path
) -> None:
    dialects = {
        f"{format_name}-{number}": FORMATS[format_name][name]
        for format_name, names in chosen.items()
        for number, name in enumerate(names)
    }
    for stem, dialect in dialects.items():
        (tmp_path / f"{stem}{dialect.suffix}").write_bytes(dialect.content)
    # The names are given one by one, as folders are not searched for text.
    ending = predict(sorted(tmp_path.iterdir()), tmp_path / "out", golden_weights, "--html")
    assert ending.code == 0, ending.errors
    for stem, dialect in dialects.items():
        check_outputs(stem, dialect, tmp_path / "out" / stem)
        own = [line for line in ending.err.splitlines() if f"/{stem}{dialect.suffix}" in line]
        assert any(dialect.log in line for line in own) or not dialect.log, (stem, own)


def check_outputs(stem: str, dialect: Dialect, folder: Path) -> None:
    """The points in heat.ply, their number in prediction.json, and their own colours in cloud.html."""
    facts = json.loads((folder / "prediction.json").read_text())
    heat = PlyData.read(folder / "heat.ply")["vertex"]
    points = np.stack([heat[axis] for axis in "xyz"], axis=1)
    if stem.startswith("mesh"):
        assert facts["points"] == len(points) == MESH_POINTS
        np.testing.assert_allclose(np.ptp(points, axis=0), EXTENT, rtol=1e-3, err_msg=stem)
        return
    expected = dialect.points[~np.isnan(dialect.points).any(axis=-1)]
    assert facts["points"] == len(points) == len(expected), stem
    np.testing.assert_allclose(points, expected, rtol=1e-6, atol=1e-4, err_msg=stem)
    assert np.load(folder / "scores.npy").shape == dialect.points.shape[:-1], stem
    colors = colors_of_page(folder / "cloud.html")
    if dialect.colors is None:
        assert colors is None, stem
    else:
        own = dialect.colors[~np.isnan(dialect.points).any(axis=-1)]
        np.testing.assert_array_equal(colors, own, err_msg=stem)


def colors_of_page(path: Path) -> np.ndarray | None:
    """The colours (N, 3) uint8 of the points that a page shows; None if it has none."""
    (stored,) = re.findall(
        r'<script type="application/json">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL
    )
    encoded = json.loads(stored)["colors"]
    return None if encoded is None else np.frombuffer(base64.b64decode(encoded), dtype=np.uint8).reshape(-1, 3)


def test_what_cannot_be_told_is_refused_in_a_line_each(tmp_path: Path, golden_weights: Path) -> None:
    reasons = {}
    for format_name, refusals in REFUSALS.items():
        for number, (suffix, content, reason) in enumerate(refusals.values()):
            reasons[f"{format_name}-{number}"] = reason
            (tmp_path / f"{format_name}-{number}{suffix}").write_bytes(content)
    ending = predict(sorted(tmp_path.iterdir()), tmp_path / "out", golden_weights)
    lines = {Path(line["file"]).stem: line["error"] for line in map(json.loads, ending.out.splitlines())}
    assert set(lines) == set(reasons)
    for stem, reason in reasons.items():
        assert reason in lines[stem] and stem in lines[stem]
        assert not files_below(tmp_path / "out" / stem)
    assert ending.code == 2 and len(ending.errors) == len(reasons) and "Traceback" not in ending.err


def predict(paths: list[Path], output: Path, golden_weights: Path, *options: object) -> Ending:
    flags = ("--clip_weights", golden_weights / "clip_tiny.pt", "--checkpoint_path", golden_weights / "prompts.pth")
    return invoke("scripts/predict.py", *paths, *flags, "--device", "cpu", "--output", output, *options)
