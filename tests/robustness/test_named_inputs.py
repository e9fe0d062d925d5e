"""No result replaces a file that is read, whichever flag, table or list names it, and under whatever name."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report.toy_runs import write_run
from robustness.invocation import assert_one_error_line, invoke

from pointad.commands.named_inputs import refuse_overwriting
from pointad.errors import InputError
from pointad.model.weight_locations import demo_folder

RIG = json.dumps({"views": ["x0", "x30"]})
REFUSED = "would be replaced by a result"
OF_TESTS = (
    *("results.json", "scores.csv", "curves.json", "log.txt", "shots.csv", "shots.json", "unfinished.csv"),
    *("maps/a/b/c.npz", "visualization/a/b/c.png"),
)
OF_TRAININGS = ("losses.csv", "log.txt", "run.json", "training_state.pt", "epoch_3.pth", "epoch_3.json")
OF_SCANS = (
    *("points.npy", "2d_rendering/sheet/view_0.png", "2d_gt/sheet/view_0_gt.png", "2d_3d_cor/sheet/view_0_cor.npy"),
    "2d_3d_cor/sheet/nonzero_indices.npy",
)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A scan called sheet."""
    path = tmp_path / "sheet.npy"
    np.save(path, np.random.default_rng(0).normal(size=(500, 3)))
    return path


def written(path: Path, content: str = RIG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize("given", ["SCAN", "--rig", "--checkpoint_path", "--clip_weights", "--rgb", "nothing"])
def test_references_replace_references_alone(given: str, scan: Path, tmp_path: Path) -> None:
    own = written(tmp_path / "own/sheet.file")
    flags: dict[str, tuple[object, ...]] = {"SCAN": (own,), "--rgb": ("--rgb", own.parent), "nothing": ()}
    ending = invoke("scripts/reference.py", scan, *flags.get(given, (given, own)), "--output", own)
    assert_one_error_line(ending, "sheet.file: exists, and is no reference of good scans")
    assert own.read_text() == RIG


def test_references_do_not_replace_the_demo_weights(scan: Path) -> None:
    weights = demo_folder() / "demo_clip.safetensors"
    before = weights.read_bytes()
    (tmp := scan.parent / "demo_clip.safetensors").symlink_to(weights)  # were it replaced, only this link would be
    ending = invoke("scripts/reference.py", scan, "--output", tmp)
    assert_one_error_line(ending, "demo_clip", "exists, and is no reference")
    assert weights.read_bytes() == before and tmp.is_symlink()


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("--rig", "prediction.json"),
        ("--reference", "scores.npy"),
        ("--checkpoint_path", "heat.ply"),
        ("--clip_weights", "cloud.html"),
        ("--good_rgb", "sheet.png"),
    ],
)
def test_predictions_replace_nothing_that_is_read(flag: str, name: str, scan: Path, tmp_path: Path) -> None:
    read = tmp_path / "out" / "sheet" / name
    read.parent.mkdir(parents=True)
    given: tuple[object, ...] = (flag, read)
    if flag == "--good_rgb":
        Image.new("RGB", (4, 4)).save(read)
        given = (flag, read.parent, "--good", scan)
    else:
        read.write_text(RIG)
    before = read.read_bytes()
    assert_one_error_line(invoke("scripts/predict.py", scan, "--output", tmp_path / "out", *given), name, REFUSED)
    assert read.read_bytes() == before


@pytest.mark.parametrize("flag", ["--rig", "--init_checkpoint", "--clip_weights", "--sample_table"])
@pytest.mark.parametrize("name", OF_TRAININGS)
def test_trainings_replace_nothing_that_flags_name(name: str, flag: str, tmp_path: Path) -> None:
    own = written(tmp_path / "out" / name)
    data = ("--dataset", "folder", "--render", "on_the_fly", "--data_path", tmp_path)
    for more in ((), ("--restart",)):
        ending = invoke("train.py", *data, "--train_class", "a", "--save_path", own.parent, flag, own, *more)
        assert_one_error_line(ending, name, REFUSED)
        assert own.read_text() == RIG


@pytest.mark.parametrize("flag", ["--rig", "--checkpoint_path", "--clip_weights", "--sample_table"])
@pytest.mark.parametrize("name", OF_TESTS)
def test_tests_replace_nothing_that_flags_name(name: str, flag: str, tmp_path: Path) -> None:
    own = written(tmp_path / "out" / name)
    data = ("--dataset", "folder", "--render", "on_the_fly", "--data_path", tmp_path)
    ending = invoke("test.py", *data, "--save_path", tmp_path / "out", flag, own)
    assert_one_error_line(ending, name, REFUSED)
    assert own.read_text() == RIG


@pytest.mark.parametrize("flag", ["--init_checkpoint", "--clip_weights"])
def test_trainings_replace_nothing_that_is_read_with_what_flags_name(flag: str, tmp_path: Path) -> None:
    named = written(tmp_path / "run.pth") if flag == "--init_checkpoint" else tmp_path / "run.index.json"
    written(tmp_path / "run.index.json", json.dumps({"weight_map": {"a": "run.json"}}))
    written(tmp_path / "run.json")
    ending = invoke("train.py", "--data_path", tmp_path, "--save_path", tmp_path, flag, named)
    assert_one_error_line(ending, "run.json", REFUSED)


@pytest.mark.parametrize("name", ["gear/results.json", "gear/1-shot/scores.csv"])
def test_tests_of_several_prompts_replace_no_table_of_samples(name: str, tmp_path: Path) -> None:
    table = written(tmp_path / "out" / name)
    several = [tmp_path / each / "epoch_1.pth" for each in ("gear", "leaf")]
    flags = ["--dataset", "folder", "--render", "on_the_fly", "--sample_table", table, "--checkpoint_path", *several]
    flags += ["--shots", 1] if "shot" in name else []
    ending = invoke("test.py", "--data_path", tmp_path, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, name, REFUSED)
    assert table.read_text() == RIG


@pytest.mark.parametrize("column", ["scan", "rgb", "mask"])
@pytest.mark.parametrize(
    ("program", "name"),
    [
        *(("test.py", name) for name in OF_TESTS),
        *(("test.py --shots 1", name) for name in OF_TESTS[:7]),
        *(("train.py", name) for name in OF_TRAININGS),
    ],
)
def test_runs_replace_no_file_of_a_sample(program: str, name: str, column: str, tmp_path: Path) -> None:
    points = "".join(f"{x} {y} {x * y}\n" for x in range(20) for y in range(20))
    own = written(tmp_path / "out" / name, points)
    rows = {key: (f"{key}.txt", "") for key in ("good", "bad")}
    for scan, _ in rows.values():
        written(tmp_path / scan, points)
    cells = {"scan": "bad.txt", "rgb": "", "mask": "good.txt", column: f"out/{name}"}
    table = f"scan,rgb,mask,species,class\ngood.txt,,,good,a\n{cells['scan']},{cells['rgb']},{cells['mask']},bad,a\n"
    written(tmp_path / "samples.csv", table)
    if column == "scan" and own.suffix not in (".csv", ".txt", ".npz"):
        written(own, points)
    script, *more = program.split()
    flags = ["--prompts", "ensemble"] if script == "test.py" else ["--train_class", "a"]
    data = ("--dataset", "folder", "--render", "on_the_fly", "--data_path", tmp_path)
    ending = invoke(script, *data, "--save_path", tmp_path / "out", *flags, *more)
    assert_one_error_line(ending, name, REFUSED)
    assert own.read_text() == points


@pytest.mark.parametrize("given", ["SCAN", "--rig"])
@pytest.mark.parametrize("name", OF_SCANS)
def test_renderings_of_scans_replace_nothing_that_is_read(given: str, name: str, scan: Path, tmp_path: Path) -> None:
    own = written(tmp_path / "out/sheet/test/unlabelled" / name)
    flags: tuple[object, ...] = ("--rig", own)
    if given == "SCAN":
        flags = ()
        scan.rename(own)
        np.save(scan, np.random.default_rng(1).normal(size=(500, 3)))
    before = own.read_bytes()
    scans = (scan, own) if given == "SCAN" else (scan,)
    ending = invoke("scripts/render_scans.py", *scans, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, own.name, REFUSED)
    assert own.read_bytes() == before


@pytest.mark.parametrize("name", ["good_scans.json", "a_meta.json"])
def test_renderings_replace_no_rig(name: str, tmp_path: Path) -> None:
    own = written(tmp_path / "out" / name)
    (tmp_path / "raw").mkdir()
    flags = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", tmp_path / "raw", "--save_path", own.parent, "--rig", own)
    assert_one_error_line(invoke("scripts/render_dataset.py", *flags), name, REFUSED)
    assert own.read_text() == RIG


def test_reports_replace_no_pages_of_others(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    own = written(tmp_path / "pages/index.html")
    ending = invoke("scripts/report.py", run.folder, "--html", own.parent, "--save_path", tmp_path / "tables")
    assert_one_error_line(ending, "index.html: exists, and no report wrote it")
    assert own.read_text() == RIG and not (tmp_path / "tables").exists()


def test_weights_are_not_continued_into_the_file_that_holds_them(tmp_path: Path) -> None:
    own = written(tmp_path / "weights.safetensors")
    ending = invoke("scripts/pretrain_demo_backbone.py", "--start_from", own, "--weights", own)
    assert_one_error_line(ending, own.name, REFUSED)


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """The folder `real` under the second name `bound`."""
    folder = tmp_path / "bound"
    folder.mkdir()
    command = ("mount", "--bind", tmp_path / "real", folder)
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    yield folder
    subprocess.run(("umount", folder), check=True)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file that is read, in the folder `real`."""
    return written(tmp_path / "real/own.json")


@pytest.mark.parametrize("name", ["link.json", "folder/own.json", "real/../real/own.json", "real/./own.json"])
def test_files_are_known_by_other_names(name: str, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link.json").symlink_to(own)
    (tmp_path / "folder").symlink_to(own.parent)
    monkeypatch.chdir(tmp_path)
    for read, result in ((own, Path(name)), (Path(name), own), (tmp_path / name, own)):
        with pytest.raises(InputError, match=REFUSED):
            refuse_overwriting([read], [result])


def test_open_files_are_known(own: Path) -> None:
    with own.open() as file, pytest.raises(InputError, match=REFUSED):
        refuse_overwriting([Path(f"/proc/self/fd/{file.fileno()}")], [own])


def test_files_are_known_in_folders_of_two_names(own: Path, bound: Path) -> None:
    with pytest.raises(InputError, match=REFUSED):
        refuse_overwriting([own], [bound / "own.json"])
    for inner in (bound, bound / "below"):
        flags = ("--dataset", "mvtec_pc_3d_rgb", "--data_path", own.parent, "--save_path", inner)
        assert_one_error_line(invoke("scripts/render_dataset.py", *flags), "the raw data set")


def test_another_file_of_the_same_content_may_be_replaced(own: Path, tmp_path: Path) -> None:
    os.link(own, tmp_path / "own.json")  # replaced by renaming, it leaves the other name what it was
    refuse_overwriting([own], [tmp_path / "own.json", tmp_path / "missing.json"])
