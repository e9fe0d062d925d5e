"""Programs import nothing from the folder that one stands in, and neither do the processes that they start."""

import argparse
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from pointad.commands.ensure_demo_data import _call
from pointad.commands.import_path import working_folder_not_imported
from pointad.commands.places import SOURCE
from pointad.commands.program import run
from pointad.errors import InputError


@pytest.fixture
def strangers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("multiprocessing", "argparse", "runpy"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start_a_process(flags: argparse.Namespace) -> int:
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    return process.exitcode or 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="refused there, see below")
def test_processes_import_nothing_from_the_working_folder(
    strangers_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with pytest.raises(SystemExit) as leaving:
        run(start_a_process, argparse.ArgumentParser(), [])
    assert leaving.value.code == 0 and not (strangers_folder / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_programs_that_programs_start_import_nothing_from_the_working_folder(strangers_folder: Path) -> None:
    _call("shared-flags", "--help")
    assert not (strangers_folder / "ran").exists()


def test_without_a_switch_modules_of_pythons_names_are_refused(
    strangers_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"argparse\.py: .*Python 3\.10 would run it; change"):
        working_folder_not_imported((3, 10)).__enter__()
    for path in strangers_folder.glob("*.py"):
        path.unlink()
    for harmless in ("queue", "gear.py", "json.txt", "logging.old.py"):
        (strangers_folder / harmless).mkdir()
    with working_folder_not_imported((3, 10)):
        (strangers_folder / "queue" / "__init__.py").touch()
    with pytest.raises(InputError, match="queue: has the name"):
        working_folder_not_imported((3, 10)).__enter__()
    monkeypatch.chdir(SOURCE)  # which has a test.py
    with working_folder_not_imported((3, 10)):
        pass
