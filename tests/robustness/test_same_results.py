"""The same command gives the same numbers: however many processes share the work, whoever else works in the folder."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from commands.programs import ROOT
from robustness.invocation import invoke, render
from robustness.spoiling import linked_copy

from pointad.files.locks import try_lock

pytestmark = pytest.mark.usefixtures("ready_backbone")


def digests(root: Path) -> dict[str, str]:
    """Every file, hidden ones too, with a digest of its bytes."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def several_scans(raw_archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw archive of one class with six scans, three times the same two."""
    root = tmp_path_factory.mktemp("several") / "raw"
    source = raw_archives["mvtec_pc_3d_rgb"]
    linked_copy(source, root)
    for path in list(root.rglob("00?.*")):
        for copy in (2, 4):
            path.with_name(f"00{int(path.stem) + copy}{path.suffix}").hardlink_to(path)
    return root


@pytest.fixture(scope="module")
def rendered_alone(several_scans: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of what one process makes of it."""
    output = tmp_path_factory.mktemp("alone") / "out"
    assert render("mvtec_pc_3d_rgb", several_scans, output).code == 0
    return digests(output)


def test_rendering_with_several_workers(several_scans: Path, rendered_alone: dict[str, str], tmp_path: Path) -> None:
    assert render("mvtec_pc_3d_rgb", several_scans, tmp_path / "out", "--num_workers", 3).code == 0
    assert digests(tmp_path / "out") == rendered_alone


def test_two_runs_render_into_one_folder(several_scans: Path, rendered_alone: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/render_dataset.py"), "--dataset", "mvtec_pc_3d_rgb"]
    command += ["--data_path", str(several_scans), "--save_path", str(tmp_path / "out"), "--views", "x0"]
    runs = [subprocess.Popen([*command, "--num_workers", "1"], stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        _, said = run.communicate(timeout=300)
        assert run.returncode == 0, said.decode()
    assert digests(tmp_path / "out") == rendered_alone


def test_scans_that_another_run_renders_are_left_to_it(several_scans: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with try_lock(output / "gear/test/good/2d_rendering/.000.lock") as ours:
        assert ours
        ending = render("mvtec_pc_3d_rgb", several_scans, output)
    assert ending.code == 0
    assert "5 scans rendered" in ending.out and "1 scan left to another run" in ending.out
    assert "1 scan rendered, 5 already finished" in render("mvtec_pc_3d_rgb", several_scans, output).out


def test_a_lock_has_one_holder_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with try_lock(path) as first, try_lock(path) as second:
        assert first and not second
    assert not path.exists()
    path.touch()  # left by a process that was killed
    with try_lock(path) as ours:
        assert ours


def test_demo_data_with_any_number_of_workers(tmp_path: Path) -> None:
    for workers in (1, 2):
        flags = ("--output", tmp_path / str(workers), "--classes", "leaf", "--format", "real3d", "--workers", workers)
        assert invoke("scripts/make_demo_data.py", *flags).code == 0
    assert digests(tmp_path / "1") == digests(tmp_path / "2") != {}


def test_training_twice(two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path) -> None:
    for name, flags in (("a", ()), ("b", ("--num_workers", 2)), ("c", ("--pictures_at_once", 1))):
        flags = (*train_flags, "--epoch", 2, *flags, "--save_path", tmp_path / name)
        ending = invoke("train.py", "--data_path", two_samples, *flags)
        assert ending.code == 0, ending.err
    first, second, third = (load_prompts(tmp_path / name / "epoch_2.pth") for name in "abc")
    for name, entry in first.items():
        assert torch.equal(entry, second[name]), name
        # Adam divides by the gradients' size, so the last digit of a float counts for more than it says.
        torch.testing.assert_close(third[name], entry, rtol=0, atol=2e-4)
    assert (tmp_path / "a" / "losses.csv").read_bytes() == (tmp_path / "b" / "losses.csv").read_bytes()


def load_prompts(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["prompt_learner"]


def test_testing_with_other_batches_and_workers(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    variants = {"a": (), "b": ("--num_workers", 2), "c": ("--batch_size", 2, "--pictures_at_once", 5), "d": ()}
    for name, flags in variants.items():
        flags = (*test_flags, *flags, "--save_maps", "--save_path", tmp_path / name)
        ending = invoke("test.py", "--data_path", two_samples, *flags)
        assert ending.code == 0, ending.err
    for same in "bd":
        assert (tmp_path / same / "scores.csv").read_bytes() == (tmp_path / "a" / "scores.csv").read_bytes()
        assert results(tmp_path / same) == results(tmp_path / "a")
    for species in ("good", "hole"):
        one, other = (np.load(tmp_path / name / "maps/cookie" / species / "000.npz") for name in "ac")
        for kind in one.files:
            np.testing.assert_allclose(one[kind], other[kind], rtol=0, atol=2e-6)


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())["classes"]


@pytest.mark.slow
def test_two_trainings_into_one_folder(
    two_samples: Path, golden_weights: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    """The second one is refused in a line, or finds that nothing is left to be done; what is there is whole."""
    flags = [*map(str, train_flags), "--epoch", "2", "--save_path", str(tmp_path / "out")]
    flags += ["--feature_cache", str(tmp_path / "cache"), "--data_path", str(two_samples)]
    command = [sys.executable, str(ROOT / "train.py"), *flags]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    said = [run.communicate(timeout=300)[1].decode() for run in runs]
    assert sorted(run.returncode for run in runs) in ([0, 2], [0, 0]), said
    for run, text in zip(runs, said, strict=True):
        assert run.returncode == 0 or "in use by another run" in text
    alone = invoke(
        "train.py",
        *flags[: flags.index("--save_path")],
        "--data_path",
        two_samples,
        "--feature_cache",
        tmp_path / "cache",
        "--save_path",
        tmp_path / "alone",
    )
    assert alone.code == 0 and "encoded 0 pictures" in alone.err
    together, expected = (load_prompts(tmp_path / name / "epoch_2.pth") for name in ("out", "alone"))
    assert all(torch.equal(together[name], entry) for name, entry in expected.items())
    assert not list(tmp_path.rglob("*.partial*"))
