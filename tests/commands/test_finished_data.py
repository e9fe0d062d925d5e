"""Which files make the data of a finished run: those that it read, wherever they lie, and no others."""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from finished_work import entry, in_a_folder, prompts, test, testing, train, training

from pointad.commands import settings as settings_module
from pointad.commands import train as train_program
from pointad.commands.finished_runs import untested
from pointad.commands.finished_trainings import is_trained, require_same_training_data
from pointad.commands.run_inputs import looked_again
from pointad.commands.train_settings import TrainSettings
from pointad.data import folder_content
from pointad.data.folder_content import FolderContent, raw_content, rendered_content
from pointad.errors import InputError

__all__ = ["in_a_folder", "prompts"]  # fixtures

OTHER_DATA = "was made from other data"


def test_the_list_that_a_training_reads_counts() -> None:
    """It is that of its class, not that of all."""
    train()
    listed = Path("one/rendered/gear_meta.json")
    listed.write_text(listed.read_text().replace("000", "001"))
    with pytest.raises(InputError, match=rf"{OTHER_DATA}: files in .*/one/rendered were added, removed or changed"):
        is_trained(training())
    with pytest.raises(
        InputError, match=rf"{OTHER_DATA}: by the names, sizes or content of their files \(in .*/one/rendered\)"
    ):
        (Path("moved/rendered/gear/test/good/2d_rendering/000.png")).write_text("another picture")
        is_trained(training("--data_path", "moved/rendered"))


def test_classes_that_are_rendered_later_are_no_other_data_to_a_training(prompts: list[str]) -> None:
    train(), test(*prompts)
    data = Path("one/rendered")
    (data / "nut/test/good/2d_rendering").mkdir(parents=True)
    (data / "nut/test/good/2d_rendering/000.png").touch()
    lists = json.loads((data / "all_meta.json").read_text())
    lists["test"]["nut"] = [entry("nut", "test")]
    (data / "all_meta.json").write_text(json.dumps(lists))
    assert is_trained(training())
    with pytest.raises(InputError, match=OTHER_DATA):
        untested(testing(*prompts))


def test_files_of_listed_samples_count_wherever_they_lie() -> None:
    data = Path("one/rendered")
    (data / "pictures").mkdir()
    (data / "pictures/000.png").write_text("a picture")
    listed = data / "gear_meta.json"
    listed.write_text(json.dumps({"test": {"gear": [{**entry("gear", "test"), "d2_img_path": "pictures/000.png"}]}}))
    train()
    (data / "pictures/000.png").write_text("another picture")
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(training())


@pytest.mark.parametrize("name", ["000.png", "000", "./000"])
def test_files_in_the_folder_of_the_data_itself_count(name: str) -> None:
    """And nothing else there."""
    data = Path("one/rendered")
    picture = data / name / "view_0.png" if name.endswith("000") else data / name
    picture.parent.mkdir(exist_ok=True)
    picture.write_text("a picture")
    listed = data / "gear_meta.json"
    listed.write_text(json.dumps({"test": {"gear": [{"cls_name": "gear", "d2_render_img_path": name}]}}))
    train()
    (data / "gear/notes.txt").write_text("outputs")
    assert is_trained(training())
    picture.write_text("another picture")
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(training())


def test_a_kind_of_defect_may_be_called_like_the_split_of_good_scans() -> None:
    data = Path("one/rendered")
    sample = {"cls_name": "gear", "d2_render_img_path": "rendered/gear/test/train/2d_rendering/000"}
    (data / "gear_meta.json").write_text(json.dumps({"test": {"gear": [sample]}}))
    (data / "gear/test/train/2d_rendering").mkdir(parents=True)
    picture = data / "gear/test/train/2d_rendering/000.png"
    picture.write_text("a picture")
    train()
    picture.write_text("another picture")
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(training())


def test_what_rendering_json_tells_for_information_is_no_other_data() -> None:
    notes = Path("one/rendered/rendering.json")
    notes.write_text(json.dumps({"views": ["x0"], "devices": ["cpu"]}))
    train()
    notes.write_text(json.dumps({"views": ["x0"], "devices": ["cpu", "cuda"], "sources": ["/raw"]}))
    assert is_trained(training())
    notes.write_text(json.dumps({"views": ["x5"], "devices": ["cpu"]}))
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(training())


def test_outputs_inside_the_data_are_no_other_data() -> None:
    train("--save_path", "one/rendered/gear/out")
    Path("one/rendered/gear/out/log.txt").touch()
    assert is_trained(training("--save_path", "one/rendered/gear/out"))


@pytest.mark.parametrize("gone", ["", "gear_meta.json"])
def test_data_that_are_missing_are_told_by_the_program_itself(prompts: list[str], gone: str) -> None:
    """Not as other data."""
    train(), test(*prompts)
    shutil.rmtree("one/rendered") if not gone else Path("one/rendered", gone).write_text("{")
    assert not is_trained(training())
    Path("one/rendered/all_meta.json").unlink(missing_ok=True)
    settings = testing(*prompts)
    assert untested(settings) == settings


FOLDER = ["--dataset", "folder", "--render", "on_the_fly", "--data_path", "scans"]


@pytest.fixture
def scans() -> Path:
    """Scans of one's own that a table lists."""
    folder = Path("scans")
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.ply").write_text("a scan")
        os.utime(folder / f"{name}.ply", (0, 0))
    (folder / "samples.csv").write_text("scan,species\na.ply,good\nb.ply,hole\n")
    return folder


def test_the_table_in_the_data_counts_although_no_flag_names_it(scans: Path) -> None:
    train(*FOLDER)
    assert is_trained(training(*FOLDER)) and is_trained(training(*FOLDER, "--sample_table", "scans/samples.csv"))
    (scans / "notes.txt").touch()
    assert is_trained(training(*FOLDER))
    (scans / "samples.csv").write_text("scan,species\na.ply,hole\nb.ply,good\n")
    assert not is_trained(training(*FOLDER))


def test_scans_that_a_table_lists_count_wherever_they_lie(scans: Path) -> None:
    Path("tables").mkdir()
    Path("tables/mine.csv").write_text("scan,species,mask\n../scans/a.ply,good,\n../scans/b.ply,hole,../b.txt\n")
    Path("b.txt").write_text("1")
    words = [*FOLDER[:-1], "tables", "--sample_table", "tables/mine.csv"]
    train(*words)
    assert is_trained(training(*words))
    for path in (Path("b.txt"), scans / "a.ply"):
        before = path.read_text()
        path.write_text("other content")
        with pytest.raises(InputError, match=OTHER_DATA):
            is_trained(training(*words))
        path.write_text(before)


@pytest.mark.parametrize(
    "pattern", ["{species}_{id}.ply", "all/train/{species}/{id}.ply", "results/{species}/{id}.ply"]
)
def test_scans_that_a_pattern_finds_count_wherever_they_lie(pattern: str, caplog: pytest.LogCaptureFixture) -> None:
    scan = Path("scans", pattern.format(species="good", id="0"))
    scan.parent.mkdir(parents=True)
    scan.write_text("a scan")
    words = [*FOLDER, "--scan_pattern", pattern]
    train(*words)
    assert is_trained(training(*words)) and "changed" not in caplog.text
    scan.write_text("another scan")
    assert is_trained(training(*words)) and "scans were added, removed or changed since" in caplog.text


@pytest.mark.parametrize(
    "pattern", ["results/{id}.png", ".masks/{id}.png", "masks/.of_scan_{id}.png", "..masks/{id}.png"]
)
def test_masks_that_a_pattern_finds_count_wherever_they_lie(pattern: str, caplog: pytest.LogCaptureFixture) -> None:
    mask = Path("scans", pattern.format(id="0"))
    for path in (Path("scans/hole/0.ply"), mask):
        path.parent.mkdir(parents=True)
        path.write_text("one")
    words = [*FOLDER, "--scan_pattern", "{species}/{id}.ply", "--mask_pattern", pattern]
    train(*words)
    assert is_trained(training(*words)) and "changed" not in caplog.text
    mask.write_text("another")
    assert is_trained(training(*words)) and "scans were added, removed or changed since" in caplog.text


def test_folders_nested_beyond_the_stack_are_read(tmp_path: Path) -> None:
    place = tmp_path / "deep"
    for _ in range(12):
        place = place / "/".join("a" * 100)
    subprocess.run(["mkdir", "-p", place], check=True)  # as pathlib's function takes the stack
    (place / "0.ply").touch()
    try:
        before = raw_content(tmp_path)
        (place / "0.ply").write_text("a scan")
        after = raw_content(tmp_path)
        assert before is not None and after is not None and before.fingerprint != after.fingerprint
    finally:
        subprocess.run(["rm", "-r", tmp_path / "deep"], check=True)


def test_demo_data_that_a_run_makes_are_told_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there when the program begins may be nothing, or half of it in the making."""
    demo = tmp_path / "demo"
    monkeypatch.setattr(settings_module, "demo_data_folder", lambda: demo)

    def now() -> TrainSettings:
        flags = train_program.build_parser().parse_args(["--train_class", "gear", "--save_path", "out"])
        return train_program.looked_at(flags, TrainSettings.from_flags(flags))

    (demo / "rendered/gear/test/good/2d_rendering").mkdir(parents=True)  # others are making them
    settings = now()
    assert settings.given is not None and settings.given.content is None
    shutil.copytree("one/rendered", demo / "rendered", dirs_exist_ok=True)
    finished = replace(settings, given=looked_again(settings.given, settings.data))
    monkeypatch.setattr("finished_work.training", lambda: finished)
    train()
    assert is_trained(now())
    shutil.move(demo, tmp_path / "away")
    assert is_trained(now())  # nothing has to be made
    shutil.move(tmp_path / "away", demo)
    (demo / "rendered/gear/test/good/2d_rendering/000.png").write_text("with another seed")
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(now())


def test_data_that_changed_are_told_of_prompts_whose_record_does_not_say_what_they_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Those of older versions."""
    train()
    origin = Path("out/epoch_15.json")
    origin.write_text(json.dumps({**json.loads(origin.read_text()), "inputs": None}))
    require_same_training_data(training())
    assert not caplog.messages
    os.utime("one/rendered/gear/test/good/2d_rendering/000.png", (2**32, 2**32))
    require_same_training_data(training())
    assert "000.png was changed since out/epoch_15.pth was made" in caplog.text


@pytest.mark.parametrize(
    ("date", "is_told"),
    [("2001-09-09T01:46:40+00:00", True), ("2033-05-18T03:33:20+00:00", False), ("soon", False), ("0001-01-01", False)],
)
def test_data_that_changed_while_a_run_worked_are_told(
    date: str, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Its files are newer, as they are when they are copied."""
    train()
    origin = Path("out/epoch_15.json")
    origin.write_text(json.dumps({**json.loads(origin.read_text()), "provenance": {"date": date}}))
    os.utime("one/rendered/gear/test/good/2d_rendering/000.png", (1_500_000_000, 1_500_000_000))
    assert is_trained(training())
    assert ("was changed since" in caplog.text) == is_told


def test_other_scans_of_one_sensor_are_other_data() -> None:
    """Of the same names and sizes, and older than the run; further files change nothing about which are looked into."""
    for place, first in (("mine", 0), ("others", 100)):
        for number in range(100):
            scan = Path(place, "scans/good", f"{number:03}.npy")
            scan.parent.mkdir(parents=True, exist_ok=True)
            scan.write_text(f"{first + number:03}")
            os.utime(scan, (0, 0))
    words = [
        "--dataset",
        "folder",
        "--render",
        "on_the_fly",
        "--scan_pattern",
        "scans/{species}/{id}.npy",
        "--data_path",
    ]
    train(*words, "mine")
    shutil.copytree("mine", "copy")
    assert is_trained(training(*words, "copy"))
    with pytest.raises(InputError, match=OTHER_DATA):
        is_trained(training(*words, "others"))


def test_many_files_are_looked_into_as_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (tmp_path / "scans").mkdir(exist_ok=True)
        (tmp_path / f"scans/{number}").write_text(f"{number:02}")
    monkeypatch.setattr(folder_content, "_LOOKED_INTO", 4)
    found = raw_content(tmp_path)
    monkeypatch.setattr(folder_content.heapq, "nsmallest", lambda count, given: sorted(given)[:count])
    assert found is not None and found == raw_content(tmp_path)
    os.mkfifo(tmp_path / "scans/pipe")
    assert raw_content(tmp_path) is not None  # and does not wait


@pytest.mark.parametrize("call", ["scandir", "stat"])
@pytest.mark.parametrize("content", [raw_content, rendered_content])
def test_disks_that_fail_make_no_other_data(
    content: Callable[[Path], FolderContent | None], call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the same files would be other data to the next run."""
    data = Path("one/rendered").absolute()
    original = getattr(os, call)

    def failing(path: str | os.PathLike[str], *others: object, **options: object) -> object:
        if os.fspath(path) == str(data / "gear/test/good/2d_rendering"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return original(path, *others, **options)

    monkeypatch.setattr(os, call, failing)
    with pytest.raises(InputError, match=r"2d_rendering: cannot be read \(Input/output error\); check the disk"):
        content(data)
