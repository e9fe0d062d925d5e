"""A folder of demo data holds scans of one seed, format and number; the same command completes it."""

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from commands.programs import ROOT
from robustness.invocation import assert_one_error_line, files_below, invoke

from pointad.commands.make_demo_data import FORMATS, SEED
from pointad.demo.generation import RECORD_NAME
from pointad.demo.scans import TEST_SCANS, ScanName


def mark(name: ScanName, seed: int, root: Path) -> None:
    """Stands for writing a scan."""
    place = root / name.class_name / name.split / name.species
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name.number}").write_text(str(seed))


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Generating into a folder, in no time."""
    monkeypatch.setattr("pointad.commands.make_demo_data.ProcessPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setattr("pointad.commands.make_demo_data._start_worker", lambda standing: None)
    for maker in FORMATS.values():
        monkeypatch.setattr(maker, "write_scan", mark)
    return ("scripts/make_demo_data.py", "--output", tmp_path / "raw", "--workers", 1, "--classes")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ((), "--good was 20, now 8"),
        (("--good", 8), "--good was 20, now 8"),
        (("--good", 20, "--seed", 1), "--seed was 2024, now 1"),
        (("--format", "eyecandies"), "--format was mvtec3d, now eyecandies"),
    ],
)
def test_other_settings_are_refused(flags: tuple[object, ...], other: tuple[object, ...], named: str) -> None:
    folder = Path(str(flags[2]))
    assert invoke(*flags, "gear", "--good", 20).code == 0
    written = files_below(folder)
    assert_one_error_line(invoke(*flags, "pear", *other), str(folder), named)
    assert files_below(folder) == written


def forking_pool(workers: int, initializer: Callable[[], None]) -> ProcessPoolExecutor:
    """Whatever Python's default is: only a fork knows what the test has replaced."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), initializer)


def die(name: ScanName, seed: int, root: Path) -> None:
    """Stands for a process that the system ends, as for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointad.commands.make_demo_data.ProcessPoolExecutor", forking_pool)
    monkeypatch.setattr(FORMATS["mvtec3d"], "write_scan", die)
    ending = invoke("scripts/make_demo_data.py", "--output", tmp_path / "raw", "--workers", 2)
    assert_one_error_line(ending, "generating: a worker process died", "fewer --workers")


def test_the_same_settings_complete_a_folder(flags: tuple[object, ...]) -> None:
    folder = Path(str(flags[2]))
    for class_name in ("gear", "pear", "gear"):
        completed = invoke(*flags, class_name, "--good", 20)
        assert completed.code == 0 and not completed.err
    assert len(list((folder / "pear" / "test" / "good").iterdir())) == 20
    (folder / RECORD_NAME).write_text("[]")
    assert_one_error_line(invoke(*flags, "pear", "--good", 20), RECORD_NAME)


def test_scans_that_nothing_says_were_generated_are_not_replaced(flags: tuple[object, ...]) -> None:
    own = Path(str(flags[2])) / "gear" / "test" / "good" / "xyz" / "000.tiff"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"of somebody else")
    for chosen in ("gear", "pear"):
        assert_one_error_line(invoke(*flags, chosen), f"gear: exists, and no {RECORD_NAME} beside it")
    assert own.read_bytes() == b"of somebody else"


def test_workers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make_demo_data.py"), "--output", str(tmp_path), "--workers", "2"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None and not list(tmp_path.rglob("*.tiff")):
            time.sleep(0.05)
        process.kill()
        process.wait()
        for _ in range(600):
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.1)
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_folder_that_is_replaced_gets_no_scans_of_a_run_that_began_before(
    flags: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw"
    written = []

    def replace_the_folder(name: ScanName, seed: int, root: Path) -> None:
        written.append(name)
        if len(written) == 3:
            root.rename(tmp_path / "moved")
            root.mkdir()
        elif len(written) < 3:
            mark(name, seed, root)

    monkeypatch.setattr(FORMATS["mvtec3d"], "write_scan", replace_the_folder)
    assert_one_error_line(invoke(*flags, "pear"), "raw: was removed, moved or replaced while this run worked in it")
    assert not files_below(raw)


@pytest.mark.parametrize(
    ("form", "link"),
    [
        *(("mvtec3d", "test"), ("mvtec3d", "test/good"), ("mvtec3d", "test/good/rgb")),
        *(("eyecandies", "test_public/data"), ("real3d", "test")),
    ],
)
def test_links_lead_no_scans_out_of_their_class(form: str, link: str, tmp_path: Path) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "raw" / "gear" / link
    elsewhere.mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(elsewhere)
    record = {"format": form, "seed": SEED, "good": TEST_SCANS["good"] if form == "mvtec3d" else None}
    (tmp_path / "raw" / RECORD_NAME).write_text(json.dumps(record))
    flags = ("--output", tmp_path / "raw", "--classes", "gear", "--workers", 1, "--format", form)
    assert_one_error_line(invoke("scripts/make_demo_data.py", *flags), str(place), "leads out of")
    assert not list(elsewhere.iterdir())
