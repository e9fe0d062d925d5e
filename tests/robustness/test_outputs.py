"""Outputs that cannot be written (no folder, a full disk, nobody reading), and names that are unusual but right."""

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from commands.programs import ROOT
from robustness.invocation import assert_one_error_line, files_below, invoke, render
from robustness.spoiling import linked_copy

from pointad.commands import program
from pointad.data.dataset import MultiViewDataset, SampleOptions
from pointad.data.loader import iterate_batches
from pointad.data.metadata import SampleRecord, read_metadata
from pointad.encoding.feature_cache import FeatureCache, PictureFeatures
from pointad.errors import InputError
from pointad.evaluation.results import Results
from pointad.evaluation.run_record import RunRecord
from pointad.evaluation.run_writer import RunWriter
from pointad.files.atomic import atomic_path
from pointad.files.pictures import write_png
from pointad.files.torch_files import write_torch_file
from pointad.scans.pcd import write_pcd
from pointad.scans.tiff import write_xyz_tiff
from pointad.training.scalars import Scalars

pytestmark = pytest.mark.usefixtures("ready_backbone")

FIGURES = ("results.json", "scores.csv", "curves.json")
AWKWARD = "Prüf daten 检测 'a' (1)"


@pytest.fixture
def below_a_file(tmp_path: Path) -> Path:
    """A folder that cannot be made, not even by the superuser."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "out"


def test_folders_that_cannot_be_made(
    below_a_file: Path,
    two_samples: Path,
    test_flags: tuple[object, ...],
    train_flags: tuple[object, ...],
    raw_archives: dict[str, Path],
) -> None:
    there = ("--data_path", two_samples, "--save_path", below_a_file)
    assert_one_error_line(invoke("test.py", *there, *test_flags), str(below_a_file))
    assert_one_error_line(invoke("train.py", *there, *train_flags), str(below_a_file))
    assert_one_error_line(render("mvtec_pc_3d_rgb", raw_archives["mvtec_pc_3d_rgb"], below_a_file), str(below_a_file))
    cached = ("--data_path", two_samples, "--save_path", below_a_file.parents[1] / "out", *test_flags)
    assert_one_error_line(ending := invoke("test.py", *cached, "--feature_cache", below_a_file), "is not a folder")
    assert "encoded again" not in ending.err
    assert not files_below(below_a_file.parents[1] / "out") - {"log.txt"}


def test_a_log_on_a_full_disk_spoils_nothing(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    monkeypatch.setattr("pointad.commands.loading._LogFile._open", lambda handler: Path("/dev/full").open("w"))  # noqa: SIM115
    ending = invoke("test.py", "--data_path", two_samples, "--save_path", output, *test_flags)
    assert ending.code == 0, ending.err
    assert "Logging error" not in ending.err
    assert (output / "results.json").is_file()


WRITERS: dict[str, Callable[[Path], object]] = {
    "file.pth": lambda path: write_torch_file({"values": torch.rand(100_000)}, path),
    "file.png": lambda path: write_png(path, (torch.rand(300, 300, 3) * 255).byte().numpy()),
    "file.tiff": lambda path: write_xyz_tiff(path, torch.rand(200, 200, 3).numpy()),
    "file.pcd": lambda path: write_pcd(path, torch.rand(100_000, 3).numpy()),
    "results.json": lambda path: Results({}, RunRecord(name="x" * 100_000)).save(path),
    "text": lambda path: _write_text(path),
}


def _write_text(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("x" * 100_000)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Within this block files cannot grow beyond a few kilobytes, for any user; pytest's own report neither."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", WRITERS)
def test_writers_on_a_full_disk(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name), full_disk():
        WRITERS[name](tmp_path / name)
    assert not files_below(tmp_path)


def test_feature_cache_on_a_full_disk(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache", fingerprint="f", layers=[1], precision="fp32")
    with pytest.raises(InputError), full_disk():
        cache.write("00" * 32, PictureFeatures(torch.rand(8), torch.rand(1, 1000, 8).half()))
    assert not files_below(tmp_path)


def test_losses_for_tensorboard_on_a_full_disk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    hook = threading.excepthook
    with (
        pytest.raises(InputError, match="board: cannot be written to"),
        full_disk(),
        Scalars(tmp_path / "board") as board,
    ):
        for epoch in range(1, 200):
            board.add(epoch, {"d2_pixel_loss": 0.5}, {"d2_pixel_loss": 1.0})
    assert "Traceback" not in capfd.readouterr().err and threading.excepthook is hook


def test_old_files_survive_failed_writing(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("old")
    with pytest.raises(InputError), full_disk():
        _write_text(tmp_path / "text")
    assert (tmp_path / "text").read_text() == "old"


@pytest.mark.parametrize(("target", "code"), [("/dev/full", 2), ("closed pipe", 141)])
def test_output_that_nobody_takes(target: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"classes": {"a": {"point": {"image_auroc": 0.5}}}}')
    if target == "closed pipe":
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open(target, os.O_WRONLY)
    command = [sys.executable, str(ROOT / "scripts/report.py"), str(tmp_path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_awkward_names_work(
    two_samples: Path,
    golden_weights: Path,
    raw_archives: dict[str, Path],
    test_flags: tuple[object, ...],
    tmp_path: Path,
) -> None:
    data = linked_copy(two_samples, tmp_path / AWKWARD / "data")
    output = tmp_path / f"out {AWKWARD}"
    flags = (*test_flags, "--save_maps", "--visualize", "--feature_cache", tmp_path / f"cache {AWKWARD}")
    ending = invoke("test.py", "--data_path", data, "--save_path", output, *flags)
    assert ending.code == 0, ending.err
    assert json.loads((output / "results.json").read_text(encoding="utf-8"))["run"]["data_path"] == str(data)
    ending = invoke("scripts/report.py", output, "--html", tmp_path / f"pages {AWKWARD}", "--save_path", output)
    assert ending.code == 0, ending.err

    raw = linked_copy(raw_archives["mvtec_pc_3d_rgb"], tmp_path / f"raw {AWKWARD}")
    (raw / "gear").rename(raw / AWKWARD)
    (raw / AWKWARD / "test" / "pit").rename(raw / AWKWARD / "test" / "Loch, groß")
    rendered = tmp_path / f"rendered {AWKWARD}"
    ending = render("mvtec_pc_3d_rgb", raw, rendered, "--classes", AWKWARD, "--views", "x-15", "x0", "x15")
    assert ending.code == 0, ending.err
    assert {record.species for record in read_metadata(rendered, AWKWARD)} == {"good", "Loch, groß"}
    ending = invoke("generate_dataset_json/mvtec3d-ad.py", "--data_path", rendered)
    assert ending.code == 0 and AWKWARD in ending.out
    flags = (*test_flags, "--views", 1, "--save_maps")
    ending = invoke("test.py", "--data_path", rendered, "--save_path", output, *flags)
    assert ending.code == 0, ending.err
    assert (output / "maps" / AWKWARD / "Loch, groß" / "001.npz").is_file()


def test_maps_of_an_earlier_test_do_not_stay(two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path) -> None:
    flags = ("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *test_flags)
    assert invoke(*flags, "--save_maps", "--visualize").code == 0
    assert len(list((tmp_path / "out").rglob("000.*"))) == 4
    (tmp_path / "out" / "maps" / "mine.npz").touch()
    assert invoke(*flags, "--sigma", 0).code == 0
    assert [path.name for path in (tmp_path / "out" / "maps").rglob("*.npz")] == ["mine.npz"]
    assert not list((tmp_path / "out" / "visualization").rglob("*.png"))


def test_maps_of_a_killed_test_do_not_stay(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    flags = ("test.py", "--data_path", two_samples, "--save_path", output, *test_flags)
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "finish", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        assert invoke(*flags, "--save_maps", "--visualize").code == 130
    assert len(list(output.rglob("000.*"))) == 4 and not (output / "scores.csv").exists()
    assert invoke(*flags, "--sigma", 0).code == 0
    assert not list(output.rglob("000.*"))
    assert {path.name for path in output.iterdir() if path.is_file()} == {*FIGURES, "log.txt"}


def test_reports_do_not_show_maps_of_a_killed_test_beside_figures_of_another(
    two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, page = tmp_path / "out", tmp_path / "pages"
    flags = ("test.py", "--data_path", two_samples, "--save_path", output, "--visualize", *test_flags)
    assert invoke(*flags).code == 0
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "finish", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        assert invoke(*flags, "--sigma", 0).code == 130
    ending = invoke("scripts/report.py", output, "--html", page)
    assert ending.code == 0 and "a later test there has not ended; its maps and pictures are not shown" in ending.err
    assert not any('id="samples"' in path.read_text(encoding="utf-8") for path in page.glob("*.html"))
    assert invoke(*flags).code == 0
    assert invoke("scripts/report.py", output, "--html", page).code == 0
    assert any('id="samples"' in path.read_text(encoding="utf-8") for path in page.glob("*.html"))


@pytest.mark.parametrize(
    ("script", "arguments", "named"),
    [
        ("test.py", ("--dataset", "unknown"), "unknown"),
        ("train.py", ("--dataset", "unknown"), "unknown"),
        ("scripts/render_dataset.py", ("--dataset", "x", "--data_path", ".", "--save_path", "y"), "--dataset"),
        ("test.py", ("--views", "0"), "--views"),
        ("test.py", ("--sigma", "nan"), "--sigma"),
        ("test.py", ("--sigma", "1e9"), "--sigma"),
        ("scripts/predict.py", ("x.ply", "--sigma", "1e9"), "--sigma"),
        ("train.py", ("--learning_rate", "inf"), "--learning_rate"),
        ("train.py", ("--epoch", "-1"), "--epoch"),
        ("scripts/predict.py", ("x.ply", "--quantile", "7", "--calibrate", "y"), "--quantile"),
    ],
)
def test_flags_that_make_no_sense(script: str, arguments: tuple[str, ...], named: str) -> None:
    ending = invoke(script, *arguments)
    assert ending.code == 2
    assert named in ending.err.splitlines()[-1] and "Traceback" not in ending.err


@pytest.mark.parametrize("views", [10, 9])
def test_more_views_than_were_rendered(
    views: int, rendered_archives: dict[str, Path], test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--data_path", rendered_archives["mvtec_pc_3d_rgb"], "--save_path", tmp_path, *test_flags)
    assert_one_error_line(invoke("test.py", *flags, "--views", views), f"views {views}", "1 view per sample")


def test_unknown_training_class(two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path) -> None:
    flags = ("--data_path", two_samples, "--save_path", tmp_path, *train_flags)
    assert_one_error_line(invoke("train.py", *flags, "--train_class", "unicorn"), "unicorn_meta.json")


@pytest.mark.parametrize("name", ["../../etc/cookie", "a/b", "..", "c\0d"])
def test_class_names_that_are_paths(
    name: str, two_samples: Path, train_flags: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", *train_flags)
    assert_one_error_line(invoke("train.py", *flags, "--train_class", name))


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '{"classes": {"a": {"point": {"image_auroc": "x"}}}}']
)
def test_report_on_broken_results(content: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(content)
    assert_one_error_line(invoke("scripts/report.py", tmp_path), "results.json")


@pytest.mark.parametrize("name", ["results.json", "scores.csv", "curves.json"])
def test_reports_never_replace_what_they_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"classes": {"a": {"point": {"image_auroc": 0.5}}}, "mean": {}}')
    ending = invoke("scripts/report.py", tmp_path, "--csv", tmp_path / name)
    assert_one_error_line(ending, name, "would be replaced by a result")
    assert files_below(tmp_path) == {"results.json"} and "0.5" in (tmp_path / "results.json").read_text()


@pytest.mark.parametrize(
    ("name", "flags"),
    [("mine.json", ("--csv", "mine.json")), ("tables.md", ("--save_path", ".")), ("index.html", ("--html", "."))],
)
def test_reports_never_replace_results_of_another_name(name: str, flags: tuple[str, str], tmp_path: Path) -> None:
    content = '{"classes": {"a": {"point": {"image_auroc": 0.5}}}, "mean": {}}'
    (tmp_path / name).write_text(content)
    ending = invoke("scripts/report.py", tmp_path / name, flags[0], tmp_path / flags[1])
    assert_one_error_line(ending, name, "would be replaced by a result")
    assert files_below(tmp_path) == {name} and (tmp_path / name).read_text() == content


def _die(record: SampleRecord, options: SampleOptions) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def test_a_loading_process_that_is_killed(two_samples: Path) -> None:
    dataset = MultiViewDataset(read_metadata(two_samples), _die, SampleOptions())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="num_workers"):
        next(iterate_batches(dataset, num_workers=1))


@pytest.mark.parametrize(
    ("script", "arguments", "named"),
    [
        ("train.py", ("--seed", str(2**70)), "--seed"),
        ("train.py", ("--learning_rate", "1e300"), "--learning_rate"),
        ("test.py", ("--image_size", "100000"), "--image_size"),
        ("test.py", ("--grid_size", "100000"), "--grid_size"),
        ("scripts/make_demo_data.py", ("--seed", str(2**70)), "--seed"),
        ("scripts/render_scans.py", ("a.npy", "--point_pixels", "9223372036854775807"), "--point_pixels"),
    ],
)
def test_flags_beyond_any_use(script: str, arguments: tuple[str, ...], named: str) -> None:
    ending = invoke(script, *arguments)
    assert ending.code == 2
    assert named in ending.err.splitlines()[-1] and "Traceback" not in ending.err


@pytest.mark.parametrize("count", ["x", "", "-1", "1" * 100])
def test_numbers_of_processes_that_are_none(count: str, monkeypatch: pytest.MonkeyPatch, two_samples: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", count)
    assert_one_error_line(invoke("test.py", "--data_path", two_samples), "WORLD_SIZE")


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of shell in the repository, with this Python as $python."""
    environment = {**os.environ, "python": sys.executable}
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    start = f"cd {tmp_path}/gone && rmdir {tmp_path}/gone && exec $python {ROOT}/scripts/make_demo_data.py"
    ended = shell(f"{start} --output {tmp_path}/demo")
    assert ended.returncode == 2 and not ended.stdout and list(tmp_path.iterdir()) == []
    assert ended.stderr == "error: working folder: it has been removed; change to one that is there\n"


def test_a_working_folder_whose_path_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries that look for themselves by their absolute paths fail there."""
    monkeypatch.chdir(tmp_path)
    name, depth = "deep" * 50, 25
    for _ in range(depth):
        Path(name).mkdir()
        os.chdir(name)
    try:
        with pytest.raises(SystemExit) as left:
            program.run(lambda flags: None, argparse.ArgumentParser(), [])
    finally:
        for _ in range(depth):
            os.chdir("..")
            Path(name).rmdir()
    assert left.value.code == 2
    line = "error: working folder: its path is longer than the system takes; change to another one\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("full", ["2>/dev/full", ">/dev/full 2>/dev/full"])
def test_errors_that_nothing_takes_keep_their_exit_status(full: str, tmp_path: Path) -> None:
    """Of predict.py, 1 would say that a scan has failed."""
    done = shell(f'"$python" scripts/report.py {tmp_path / "none"} {full}')
    assert done.returncode == 2
    (tmp_path / "results.json").write_text('{"classes": {"a": {"point": {"image_auroc": 0.5}}}}')
    done = shell(f'"$python" scripts/report.py {tmp_path} {full}')
    assert done.returncode == (2 if full.startswith(">") else 0)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_outputs(closed: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"classes": {"a": {"point": {"image_auroc": 0.5}}}}')
    done = shell(f'"$python" scripts/report.py {tmp_path} {closed}')
    assert done.returncode == 0 and "Traceback" not in done.stderr
    done = shell(f'"$python" scripts/report.py {tmp_path / "none"} {closed}')
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_little_address_space(two_samples: Path, tmp_path: Path) -> None:
    done = shell(f'ulimit -v 1000000; "$python" test.py --data_path {two_samples} --save_path {tmp_path}')
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: memory:")


def test_rendering_without_shared_memory(
    raw_archives: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    ending = render("mvtec_pc_3d_rgb", raw_archives["mvtec_pc_3d_rgb"], tmp_path / "out", "--num_workers", 2)
    assert ending.code == 0 and "2 scans rendered" in ending.out, ending.err
    assert "scans are rendered in this process" in ending.err
