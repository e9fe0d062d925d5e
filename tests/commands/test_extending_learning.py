"""The fusion and the loss term that docs/extending.md shows, written into a copy of the library where it says."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from robustness.invocation import ROOT

GUIDE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def shown(pattern: str) -> str:
    """The code block of the guide that begins so."""
    (block,) = re.findall(rf"```python\n({pattern}.*?)```", GUIDE, re.DOTALL)
    return block


def insert(path: Path, code: str, before: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, f"{code}\n\n{before}"), encoding="utf-8")


def enter(path: Path, line: str, opening: str) -> None:
    text = path.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{opening}.*\{{$", text, re.MULTILINE)
    path.write_text(text.replace(found, f"{found}\n{line.rstrip()}"), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the programs with both examples of the guide."""
    root = tmp_path / "copy"
    shutil.copytree(ROOT / "pointad", root / "pointad", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "scripts").mkdir()
    for name in ("train.py", "test.py", "scripts/report.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    projection, losses = root / "pointad/scoring/back_projection.py", root / "pointad/training/losses.py"
    insert(projection, shown("# pointad/scoring/back_projection.py"), "VIEW_FUSIONS: ")
    enter(projection, shown('    "median"'), "VIEW_FUSIONS: ")
    insert(losses, shown("# pointad/training/losses.py"), "TERMS: ")
    enter(losses, shown('    "d2_entropy_loss": d2_'), "TERMS: ")
    enter(root / "pointad/training/terms.py", shown('    "d2_entropy_loss": LossTerm'), "LOSSES: ")
    return root


def run(root: Path, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def test_the_guides_fusion_and_loss_train_and_test(copy: Path, golden_inputs: Path, tmp_path: Path) -> None:
    shared = ("--data_path", golden_inputs / "data", "--clip_weights", golden_inputs / "clip_tiny.pt")
    shared += ("--device", "cpu", "--num_workers", 0, "--views", 2, "--view_fusion", "median")
    weights = ("--loss_weights", "d2_entropy_loss=0.1")
    trained = run(
        copy,
        "train.py",
        *(*shared, *weights, "--train_class", "cookie", "--epoch", 1, "--depth", 2, "--save_path", tmp_path / "train"),
    )
    assert "d3_point_loss, d2_entropy_loss (views fused by median)" in trained.stderr or (
        "d2_entropy_loss" in trained.stderr and "slower" in trained.stderr
    )
    with (tmp_path / "train" / "losses.csv").open(newline="") as file:
        assert all(float(row["d2_entropy_loss"]) > 0 for row in csv.DictReader(file))
    checkpoint = tmp_path / "train" / "epoch_1.pth"
    test_flags = ("--checkpoint_path", checkpoint, "--save_path", tmp_path / "test", "--metrics", "image-level")
    run(copy, "test.py", *shared, *test_flags, "--name", "my median")
    record = json.loads((tmp_path / "test" / "results.json").read_text())["run"]
    assert (record["view_fusion"], record["training"]["loss_weights"]["d2_entropy_loss"]) == ("median", 0.1)
    assert "my median" in run(copy, "scripts/report.py", tmp_path / "test").stdout
