"""scripts/setup.sh takes an environment that has everything, and reads the requirements as pip does."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def chosen_python(tmp_path: Path, requirements: str, shell: str = "bash") -> str:
    """The python that setup.sh would run with, without making an environment: it may only look for one."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup.sh").write_text((ROOT / "scripts" / "setup.sh").read_text())
    (tmp_path / "needs.txt").write_text(requirements)
    environment = {
        **os.environ,
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "CDPATH": ".",
    }
    done = subprocess.run(
        [shell, "scripts/setup.sh", "needs.txt"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else f"none: {done.stderr}"


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_requirement_of_other_pythons_is_not_asked_for(tmp_path: Path, shell: str) -> None:
    chosen = chosen_python(
        tmp_path, shell=shell, requirements='numpy>=1.20\nno-such-package-here>=1,<2; python_version < "3"  # why\n\n'
    )
    assert Path(chosen).parent == Path(sys.executable).parent


def first_runs(folder: Path, number: int, *, interrupted: bool = False, base: str = "base") -> list[tuple[int, str]]:
    """Exit codes and messages of so many runs at once, with a python that takes its time and has no packages."""
    (folder / "scripts").mkdir()
    (folder / "scripts" / "setup.sh").write_text((ROOT / "scripts" / "setup.sh").read_text())
    (folder / "needs.txt").write_text("no-such-package-here\n")
    slow = folder / "base"
    slow.write_text("""#!/usr/bin/env bash
[ "$3 ${INTERRUPTED:-}" = "install yes" ] && kill -INT $PPID && exit 1
[ "$1 $2" = "-m venv" ] || exit 0
echo made >> made.txt
sleep 0.5
mkdir -p .venv/bin && cp base .venv/bin/python
""")
    slow.chmod(0o755)
    environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "PYTHON": str(folder / base)}
    environment["INTERRUPTED"] = "yes" if interrupted else ""
    command = ["bash", "scripts/setup.sh", "needs.txt"]
    runs = [
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(number)
    ]
    return [(run.returncode, err) for run, (_, err) in [(run, run.communicate()) for run in runs]]


def test_an_environment_of_someone_else_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "lib").mkdir(parents=True)  # without pip, as uv makes them
    ((code, printed),) = first_runs(tmp_path, 1)
    assert code == 2 and (tmp_path / ".venv" / "lib").is_dir() and not (tmp_path / "made.txt").exists()
    assert printed.startswith("error: .venv was not made by this script") and "move .venv away" in printed


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Installing python3-venv would not help."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mkdir").write_text("#!/bin/sh\necho Permission denied >&2\nexit 1\n")
    (tmp_path / "bin" / "mkdir").chmod(0o755)  # root may write everywhere
    ((code, printed),) = first_runs(tmp_path, 1)
    assert code == 2 and not (tmp_path / "made.txt").exists()
    assert printed.splitlines()[1] == f"error: {tmp_path}/.venv cannot be made: no permission, or no space"
    assert "pip install -r needs.txt" in printed and "apt-get" not in printed


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ('"$1" = -m', "error: the packages could not be installed\n"),  # pip's configuration is damaged
        ("no = yes", "error: pip ended well, yet .venv lacks some of needs.txt: "),  # it sends packages elsewhere
        ("yes = yes", "error: .venv/bin/python does not start here: "),  # in a container with another Python
    ],
)
def test_a_whole_environment_stays_whatever_is_wrong(tmp_path: Path, fails: str, said: str) -> None:
    """It takes 7 GB and minutes."""
    python = tmp_path / ".venv" / "bin" / "python"
    written = tmp_path / ".venv/lib/python3.11/site-packages/pip-24.0.dist-info/INSTALLER"
    for path in (python, written):
        path.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\n[ "$1" = - ] || [ {fails} ] && exit 2\nexit 0\n')  # and packages are missing
    python.chmod(0o755)
    written.touch()
    (tmp_path / ".venv" / "made_by_setup").touch()
    ((code, printed),) = first_runs(tmp_path, 1)
    assert code == 2 and python.exists() and not (tmp_path / "made.txt").exists()
    assert said in printed
    assert f"\nrun this in {tmp_path}, then" in printed and str(tmp_path) not in printed.splitlines()[-1]


def test_a_python_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("python3", *(f"python3.{minor}" for minor in range(10, 15)), "python"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho Fatal Python error >&2\nexit 1\n")
        (tmp_path / "bin" / name).chmod(0o755)
    ((code, printed),) = first_runs(tmp_path, 1, base="no")
    assert code == 2
    assert printed.startswith("Fatal Python error\nerror: no Python 3.10 to 3.14 was found that starts\n")


def test_what_no_package_would_mend_is_told_as_python_tells_it(tmp_path: Path) -> None:
    """Such as a folder with a colon in its path, or a full disk; nothing is installed for that."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\ntouch installed\n")
    (tmp_path / "python").write_text('#!/bin/sh\n[ "$1" != -m ] || { echo it has a colon >&2; exit 1; }\n')
    for name in ("bin/apt-get", "python"):
        (tmp_path / name).chmod(0o755)
    ((code, printed),) = first_runs(tmp_path, 1, base="python")
    assert code == 2 and not (tmp_path / "installed").exists()
    assert f"it has a colon\nerror: {tmp_path}/.venv cannot be made: see above\n" in printed


def test_an_environment_that_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "half").mkdir(parents=True)
    (tmp_path / ".venv" / "made_by_setup").touch()
    ((code, printed),) = first_runs(tmp_path, 1)
    assert code == 0, printed
    assert not (tmp_path / ".venv" / "half").exists()


def test_an_installation_that_is_interrupted_is_no_failure(tmp_path: Path) -> None:
    ((code, printed),) = first_runs(tmp_path, 1, interrupted=True)
    assert code == -signal.SIGINT
    assert printed.endswith("a few minutes)\ninterrupted; run the same command again to continue\n")


def test_of_two_first_runs_one_makes_the_environment(tmp_path: Path) -> None:
    assert [code for code, _ in first_runs(tmp_path, 2)] == [0, 0]
    assert (tmp_path / "made.txt").read_text() == "made\n"


def test_a_run_that_waits_for_the_environment_says_so(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "setup.sh"
    script.write_text((ROOT / "scripts" / "setup.sh").read_text())
    (tmp_path / "needs.txt").write_text("no-such-package-here\n")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)  # not to be replaced: the run ends without making anything
    command = ["bash", "scripts/setup.sh", "needs.txt"]
    with script.open() as another:
        fcntl.flock(another, fcntl.LOCK_EX)
        run = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert run.stderr is not None
        said = run.stderr.readline()
    assert said == "waiting for another run that makes .venv\n"
    _, rest = run.communicate()
    assert run.returncode == 2 and rest.startswith("error: .venv was not made by this script")
