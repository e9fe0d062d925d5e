"""The console command and the scripts: one code, and nothing heavy is imported before the flags are parsed."""

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands.programs import ROOT

from pointad.commands import entry
from pointad.commands.entry import COMMANDS
from pointad.commands.unfit_python import unfit_python_told

HEAVY = ("torch", "torchvision", "open_clip", "sklearn", "open3d")
SCRIPTS = [
    *(command.script for command in COMMANDS.values() if command.script.endswith(".py")),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "generate_dataset_json").glob("*.py"))),
    "scripts/pretrain_demo_backbone.py",
]

HELP_OF_ALL = """
import contextlib, io, runpy, sys

heavy, scripts = sys.argv[1].split(), sys.argv[2:]
for script in scripts:
    sys.argv = [script, "--help"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as leaving:
            assert leaving.code == 0, script
    assert said.getvalue().startswith("usage:"), script
    loaded = [name for name in heavy if name in sys.modules]
    assert not loaded, f"{script} --help imports {loaded}"
"""

IMPORT_ALONE = """
import importlib, sys

heavy, module = sys.argv[1].split(), sys.argv[2]
importlib.import_module(module)
loaded = [name for name in heavy if name in sys.modules]
assert not loaded, f"{module} imports {loaded}"
"""


def run_code(code: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, " ".join(HEAVY), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_lines_of_the_hub_are_written_once() -> None:
    code = """
from pointad.commands.program import log_to_standard_error
log_to_standard_error()
from huggingface_hub.utils import logging
logging.get_logger("huggingface_hub.test").warning("unreachable")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.count("unreachable") == 1, done.stderr


def test_every_script_is_a_face() -> None:
    found = [*ROOT.glob("*.py"), *(ROOT / "scripts").glob("*.py"), *(ROOT / "generate_dataset_json").glob("*.py")]
    programs = {str(path.relative_to(ROOT)) for path in found} - {"setup.py"}
    assert programs == set(SCRIPTS)
    for program in programs:
        lines = [line for line in (ROOT / program).read_text(encoding="utf-8").split('"""')[-1].splitlines() if line]
        assert len(lines) <= 10, program


def test_help_of_all_scripts_imports_nothing_heavy() -> None:
    run_code(HELP_OF_ALL, *SCRIPTS)


@pytest.mark.parametrize(
    "module", ["pointad", "pointad.data.export", "pointad.commands.entry", "pointad.commands.report_run"]
)
def test_rendering_reports_and_the_front_door_import_nothing_heavy(module: str) -> None:
    """Workers that render import the module of the function that they run, `pointad.data.export`."""
    run_code(IMPORT_ALONE, module)


def test_checking_flags_imports_no_part_of_scipy() -> None:
    """The shell scripts check flags several times before they run anything."""
    parts = "('scipy.spatial', 'scipy.sparse', 'scipy.ndimage', 'scipy.integrate')"
    run_code(f"import pointad.commands.shared_flags, sys; assert not sys.modules.keys() & {parts}, sys.modules")


def test_front_door_gives_the_predictor() -> None:
    import pointad
    from pointad.inspection import predictor

    assert pointad.PointAD is predictor.PointAD and pointad.Prediction is predictor.Prediction
    assert {"PointAD", "Prediction"} <= set(dir(pointad))
    with pytest.raises(AttributeError, match="no attribute 'Pointad'"):
        pointad.Pointad  # noqa: B018


def leave_with(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the console command."""
    monkeypatch.setattr(sys, "argv", ["pointad", *arguments])
    with pytest.raises(SystemExit) as leaving:
        entry.main()
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_console_command_lists_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave_with(monkeypatch, "--help") == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said and command.summary in said for name, command in COMMANDS.items())
    assert leave_with(monkeypatch) == 2
    assert capsys.readouterr().err.endswith("error: the following arguments are required: COMMAND\n")
    assert leave_with(monkeypatch, "predikt") == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_help_speaks_of_the_console_command(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave_with(monkeypatch, name, "--help") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: pointad {name} ") and f"\n    pointad {name} " in said
    assert f"python {COMMANDS[name].script}" not in said


def test_console_command_does_the_work(
    golden_inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cookie").symlink_to(golden_inputs / "data" / "cookie")
    assert leave_with(monkeypatch, "list-samples", "--dataset", "mvtec_pc_3d_rgb", "--data_path", str(tmp_path)) == 0
    assert "cookie: 5 samples" in capsys.readouterr().out
    assert (tmp_path / "all_meta.json").is_file()
    missing = str(tmp_path / "missing")
    assert leave_with(monkeypatch, "list-samples", "--dataset", "mvtec_pc_3d_rgb", "--data_path", missing) == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_says_what_it_is_without_being_given(name: str) -> None:
    """Its default, or that there is none because it is required; older names of flags refer to the newer ones."""
    parser = importlib.import_module(f"pointad.commands.{COMMANDS[name].module}").build_parser()
    formatter = parser._get_formatter()
    for action in parser._actions:
        if action.option_strings and action.default is not argparse.SUPPRESS:
            text = formatter._expand_help(action)
            assert "(default: " in text or text.endswith("(required)"), action.option_strings
            assert "without it" not in text


WITHOUT_A_PACKAGE = """
import runpy, sys

sys.modules[sys.argv[1]] = None
if sys.argv[2] == "old":
    sys.version_info = (3, 9, 1, "final", 0)
script, sys.argv = sys.argv[3], sys.argv[3:]
runpy.run_path(script, run_name="__main__")
"""


@pytest.mark.parametrize(
    ("package", "age", "script", "reason"),
    [
        ("tqdm", "new", "scripts/predict.py", "has no package tqdm; run: bash scripts/setup.sh"),
        ("tqdm", "new", "generate_dataset_json/eyecandies.py", "has no package tqdm; run: bash scripts/setup.sh"),
        ("numpy", "new", "scripts/render_dataset.py", "has no package numpy; run: bash scripts/setup.sh"),
        ("tqdm", "old", "train.py", "is Python 3.9, and PointAD needs 3.10 or later; run: bash scripts/setup.sh"),
    ],
)
def test_an_environment_that_lacks_what_is_needed(package: str, age: str, script: str, reason: str) -> None:
    """Whoever forgets to activate the environment gets Python's own packages."""
    command = [sys.executable, "-c", WITHOUT_A_PACKAGE, package, age, script, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and reason in done.stderr and done.stderr.count("\n") == 1


def test_a_variable_that_a_package_cannot_read() -> None:
    command = [sys.executable, "scripts/feature_cache.py", "--help"]
    environment = {**os.environ, "TQDM_MININTERVAL": "x"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: TQDM_MININTERVAL: cannot be read by tqdm") and done.stderr.count("\n") == 1


def test_variables_of_bars_keep_no_program_from_its_work(tmp_path: Path) -> None:
    """With a file that is none, or bytes for a text, every bar would end in an error."""
    (tmp_path / "raw").mkdir()
    code = "from pointad.commands.entry import COMMANDS, start; start(COMMANDS['feature-cache'], [{!r}, '--check'])"
    command = [sys.executable, "-c", code.format(str(tmp_path))]
    variables = {"TQDM_FILE": "x", "TQDM_write_bytes": "1", "TQDM_NCOLS": "40"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    ignored = [line.partition(":")[0] for line in done.stderr.splitlines() if line.endswith("by the programs")]
    assert sorted(ignored) == ["TQDM_FILE", "TQDM_write_bytes"]


@pytest.mark.parametrize("descriptors", ["<&- 2>&-", "<&- >&- 2>&-", "2>&-", ">&-"])
def test_no_file_takes_the_place_of_a_closed_stream(descriptors: str, tmp_path: Path) -> None:
    """Worker processes and libraries in C would write what they have to say on standard error into that file."""
    (tmp_path / "program.py").write_text(
        "import argparse, os, subprocess, sys\n"
        "def main(flags):\n"
        f"    number = os.open({str(tmp_path / 'result')!r}, os.O_WRONLY | os.O_CREAT)\n"
        "    assert number > 2\n"
        "    subprocess.run([sys.executable, '-c', 'import os; assert os.open(os.devnull, 0) > 2'], check=True)\n"
        "    os.write(number, b'done')\n"
        "build_parser = argparse.ArgumentParser\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import program; "
        "sys.modules['pointad.commands.report'] = program; "
        "from pointad.commands.entry import COMMANDS, start; start(COMMANDS['report'], [])"
    )
    line = f'exec "$0" -c "$1" {descriptors}'
    subprocess.run(["sh", "-c", line, sys.executable, code], cwd=ROOT, check=True)
    assert (tmp_path / "result").read_text() == "done"


@pytest.mark.parametrize("arguments", ["predict --help", "--help", "--version"])
def test_help_that_nothing_takes(arguments: str) -> None:
    code = "from pointad.commands.entry import main; main()"
    line = f'exec "$0" -c "$1" {arguments} >/dev/full'
    done = subprocess.run(["sh", "-c", line, sys.executable, code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: standard output: No space left on device; check its permissions and the free disk space\n"
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("libavcodec.so.62: failed to map segment from shared object")]
)
def test_too_little_memory_to_load_a_program(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """Libraries are loaded before the program's flags are read."""
    with pytest.raises(SystemExit) as left, unfit_python_told():
        raise error
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "error: memory: not enough is available to load the program; use a larger machine\n"
    )
    with pytest.raises(ImportError), unfit_python_told():
        raise ImportError("cannot import name 'that'", name="pointad")


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of the library is imported: its file locks would end in a traceback there."""
    monkeypatch.setattr(entry, "os", SimpleNamespace(name="nt"))
    with pytest.raises(SystemExit, match="on Windows, install and run it in WSL 2"):
        entry.start(COMMANDS["predict"], ["scan.ply"])


@pytest.mark.parametrize("script", ["train.py", "test.py"])
def test_a_python_that_leaves_out_the_folder_of_the_script(script: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / script), "--help"]
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
