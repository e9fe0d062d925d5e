"""Programs load no shared library from the folder that one stands in, and neither do the processes that they start."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pointad.commands.ensure_demo_data import _START
from pointad.commands.library_folders import away_from_working_folder
from pointad.commands.places import SOURCE

MAPS = Path("/proc/self/maps")

# What each process prints: the libraries that it has mapped from its working folder, and that it stands in it again.
PROGRAM = """
import multiprocessing, os, sys
from pointad.commands import entry

def load():
    import torch, cv2
    stranger = os.path.realpath(sys.argv[1])
    mapped = {line.split()[-1] for line in open("/proc/self/maps") if stranger in line}
    print(os.getcwd() == stranger, sorted(map(os.path.basename, mapped)), flush=True)

if __name__ == "__main__":
    load()
    process = multiprocessing.get_context("spawn").Process(target=load)
    process.start()
    process.join()
"""


def mapped_libraries() -> set[str]:
    return {line.split()[-1] for line in MAPS.read_text().splitlines() if ".so" in line}


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux tells which libraries a process has loaded")
def test_no_library_of_the_working_folder_is_loaded(tmp_path: Path) -> None:
    program, stranger = tmp_path / "program.py", tmp_path / "stranger"
    program.write_text(PROGRAM)
    stranger.mkdir()
    extension = importlib.util.find_spec("PIL._imagingmath")
    assert extension is not None and extension.origin is not None
    shutil.copy(extension.origin, stranger / "libcuda.so.1")
    for path in mapped_libraries():
        if Path(path).name.startswith(("libm.so", "libm-", "libz.so", "libpython")):
            shutil.copy(path, stranger / Path(path).name)
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    environment |= {"TORCH_LOGS_OUT": "torch.log", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, str(program), str(stranger)]
    done = subprocess.run(command, cwd=stranger, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["True []", "True []"], done.stderr
    assert (stranger / "torch.log").exists()  # named by a relative path


def test_processes_of_programs_that_programs_start_import_its_module(tmp_path: Path) -> None:
    entry = tmp_path / "pointad" / "commands" / "entry.py"
    entry.parent.mkdir(parents=True)
    for package in (entry.parent, entry.parent.parent):
        (package / "__init__.py").touch()
    entry.write_text(
        "import multiprocessing, os, sys\n"
        "print(__name__, *sys.argv[1:], flush=True)\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=os.getpid)\n"
        "    process.start()\n"
        "    process.join()\n"
    )
    command = [sys.executable, "-c", _START, str(tmp_path), "render"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0] == "__main__ render" and "__mp_main__" in done.stdout, done.stderr


@pytest.mark.parametrize("before", ["/opt/lib", "", None])
def test_folder_and_variable_are_as_they_were(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH", before)
    with pytest.raises(KeyboardInterrupt), away_from_working_folder():
        os.environ["LD_LIBRARY_PATH"] = "/lib64:"
        tmp_path.rename(tmp_path.with_name("moved"))  # it is the folder that counts, not its name
        raise KeyboardInterrupt
    assert Path.cwd() == tmp_path.with_name("moved") and os.environ.get("LD_LIBRARY_PATH") == before
