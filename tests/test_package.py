"""The package as others install it: a wheel in an environment of its own, away from the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from sample_scans import closed_shape

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pointad", "checkpoints", "setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE")

LIST_OF_BUILT_FILES = """
import setuptools
from distutils.core import run_setup

command = run_setup("setup.py", stop_after="commandline").get_command_obj("build_py")
command.ensure_finalized()
print("\\n".join(command.get_outputs()))
"""


def run(*command: object, cwd: Path) -> str:
    """Run a command that must end well, without anything of this repository on Python's path; its output."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "POINTAD_CACHE")}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
    return done.stdout


def pip(*arguments: object, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, cwd=cwd)


def copy_sources(folder: Path) -> Path:
    """The files that a wheel is built from, in a folder that the build may write into."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    for path in ROOT.glob("requirements*.txt"):
        shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the package in it, and the packages that it needs lent by the environment of this test.

    They take 7 GB, which a download of their own would only repeat; the package itself is the installed one.
    """
    folder = tmp_path_factory.mktemp(request.param)
    sources = copy_sources(folder / "sources")
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ("--python", environment / "bin" / "python", "install", "--no-deps", "--no-build-isolation")
    if request.param == "wheel":
        pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, sources, cwd=folder)
        (wheel,) = folder.glob("pointad-*.whl")
        shutil.rmtree(sources)
        pip(*install, wheel, cwd=folder)
    else:
        pip(*install, "--editable", sources, cwd=folder)
    return environment


@pytest.mark.slow
def test_an_installed_package_predicts_from_any_folder(installed: Path, tmp_path: Path) -> None:
    """The example of the README, then the console command, with the demo weights that come along."""
    (packages,) = installed.glob("lib/python*/site-packages")
    before = {path for path in packages.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"}
    place = run(installed / "bin/python", "-c", "import pointad; print(pointad.__file__)", cwd=tmp_path).strip()
    assert not Path(place).is_relative_to(ROOT)

    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "(20000,)" in run(installed / "bin/python", "-c", example, cwd=tmp_path)

    np.save(tmp_path / "blob.npy", closed_shape(1500))
    console = installed / "bin" / "pointad"
    line = json.loads(run(console, "predict", "blob.npy", "--output", "out", cwd=tmp_path))
    assert 0 < line["score"] < 1 and line["points"] == 1500
    assert {path.name for path in (tmp_path / "out" / "blob").iterdir()} >= {"heat.ply", "scores.npy", "sheet.png"}

    after = {path for path in packages.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"}
    assert after == before  # nothing is written beside the package


@pytest.mark.slow
def test_an_installed_package_makes_demo_data_in_the_working_folder(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "bin/pointad", "demo-data", "--classes", "gear", "--workers", 2, cwd=tmp_path)
    source = run(
        installed / "bin/python", "-c", "from pointad.commands.places import home; print(home())", cwd=tmp_path
    )
    expected = Path(source.strip()) / "data" / "demo" / "raw"
    assert str(expected) in said and (expected / "gear" / "test").is_dir()
    if "wheel" in str(installed):
        assert expected.is_relative_to(tmp_path)


def test_rooms_and_weights_are_packages_of_the_build(tmp_path: Path) -> None:
    """What the build would put into a wheel, without building one."""
    sources = copy_sources(tmp_path / "sources")
    code = "import setuptools; d = setuptools.distutils.core.run_setup('setup.py', stop_after='commandline'); "
    code += "b = d.get_command_obj('build_py'); b.ensure_finalized(); print('\\n'.join(b.get_outputs()))"
    built = {
        path.split("/lib/", 1)[1]
        for path in run(sys.executable, "-c", code, cwd=sources).splitlines()
        if "/lib/" in path
    }
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "pointad").rglob("*.py")}
    assets = {str(path.relative_to(ROOT)) for path in (ROOT / "pointad/visualization/assets").iterdir()}
    assert modules | assets <= built
    assert "pointad/checkpoints/demo_clip.safetensors" in built
    assert {f"pointad/checkpoints/demo/{name}/epoch_15.pth" for name in ("gear", "leaf", "walnut")} <= built
