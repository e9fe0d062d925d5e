"""Demo data of which some scans were not rendered, as on a full disk, are completed before a test."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from robustness.invocation import Ending, invoke

from pointad.commands import ensure_demo_data as module
from pointad.commands.ensure_demo_data import all_rendered, ensure_demo_data
from pointad.commands.program import termination_raised
from pointad.errors import PointADError

MVTEC = "mvtec_pc_3d_rgb"


def drop_one(rendered: Path) -> str:
    """Take a sample out of the list; returns the list as it was."""
    path = rendered / "all_meta.json"
    whole = path.read_text()
    listed = json.loads(whole)
    listed["test"]["gear"].pop()
    path.write_text(json.dumps(listed))
    return whole


@pytest.mark.parametrize("name", [MVTEC, "eye_pc_3d_rgb", "real_pc_3d_rgb"])
def test_every_raw_scan_must_be_listed(
    name: str, raw_archives: dict[str, Path], rendered_archives: dict[str, Path], tmp_path: Path
) -> None:
    rendered = tmp_path / "rendered"
    shutil.copytree(rendered_archives[name], rendered)
    assert all_rendered(name, raw_archives[name], rendered)
    drop_one(rendered)
    assert not all_rendered(name, raw_archives[name], rendered)
    assert all_rendered(name, tmp_path / "removed", rendered)
    (rendered / "all_meta.json").unlink()
    assert not all_rendered(name, tmp_path / "removed", rendered)


@pytest.fixture
def demo_folder(
    raw_archives: dict[str, Path],
    rendered_archives: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    shutil.copytree(raw_archives[MVTEC], tmp_path / "raw")
    shutil.copytree(rendered_archives[MVTEC], tmp_path / "rendered")
    monkeypatch.setattr(module, "demo_data_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("seconds", [0.0, 30.0])
def test_scans_that_another_run_renders_are_waited_for(
    demo_folder: Path, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lists them a moment after this run has found nothing left to do."""
    rendered = demo_folder / "rendered"
    whole = drop_one(rendered)
    called: list[str] = []
    monkeypatch.setattr(module, "_call", lambda name, *flags: called.append(name))
    monkeypatch.setattr(module, "_WAITING_SECONDS", seconds)
    monkeypatch.setattr(module.time, "sleep", lambda _: (rendered / "all_meta.json").write_text(whole))
    if seconds:
        assert ensure_demo_data() == rendered
    else:
        with pytest.raises(PointADError, match="another run is still rendering"):
            ensure_demo_data()
    assert called == ["demo-data", "render"]


def test_the_program_makes_and_renders_only_what_is_missing(demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = demo_folder / "rendered"
    flags = ("--output", demo_folder / "raw", "--rendered", rendered, "--classes", "gear", "--good", 1, "--workers", 1)
    monkeypatch.setattr(module, "_call", None)
    assert invoke("scripts/make_demo_data.py", *flags) == Ending(0, "", "")  # nothing is called, or made
    whole = drop_one(rendered)
    (demo_folder / "raw").rename(demo_folder / "made")

    def write(*arguments: object) -> None:
        shutil.copytree(demo_folder / "made", demo_folder / "raw", dirs_exist_ok=True)

    monkeypatch.setattr("pointad.commands.make_demo_data._write_all", write)
    monkeypatch.setattr(module, "_call", lambda name, *flags: (rendered / "all_meta.json").write_text(whole))
    (rendered / "all_meta.json").unlink()
    assert invoke("scripts/make_demo_data.py", *flags).code == 0
    assert all_rendered(MVTEC, demo_folder / "raw", rendered)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_was_not_interrupted_too_is_asked_to_end(
    sent: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, it would leave semaphores, of which Python tells."""
    start = "import os, signal, sys, time;"
    start += f"signal.signal(signal.SIGTERM, lambda *_: (open('{tmp_path}/told', 'w'), sys.exit()));"
    start += "os.kill(os.getppid(), int(sys.argv[2])); time.sleep(30)"
    monkeypatch.setattr(module, "_START", start)
    monkeypatch.setattr(module, "_ENDING_SECONDS", 0.5)
    with pytest.raises(KeyboardInterrupt), termination_raised():
        module._call(str(int(sent)))
    assert (tmp_path / "told").exists()
