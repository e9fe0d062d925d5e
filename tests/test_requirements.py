"""The requirements say which versions are meant, once, and everything that repeats them agrees."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

tomllib = pytest.importorskip("tomllib", reason="comes with Python 3.11")

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(ROOT.glob("requirements*.txt"))


def requirements(path: Path) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_requirement_has_a_lower_bound(path: Path) -> None:
    for requirement in requirements(path):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators & {">=", "=="}, requirement


def test_nothing_is_required_twice() -> None:
    names = [requirement.name.lower().replace("_", "-") for path in FILES for requirement in requirements(path)]
    assert len(names) == len(set(names)) > 25


def test_the_package_requires_what_the_files_say() -> None:
    """The lists exist once, in the files; the package reads them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    dynamic = project["tool"]["setuptools"]["dynamic"]
    assert set(project["project"]["dynamic"]) == {"dependencies", "optional-dependencies"}
    assert not {"dependencies", "optional-dependencies"} & project["project"].keys()
    read = [dynamic["dependencies"]["file"], *(entry["file"] for entry in dynamic["optional-dependencies"].values())]
    assert sorted(name for names in read for name in names) == [path.name for path in FILES]


def test_versions_of_python_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    allowed = SpecifierSet(project["project"]["requires-python"])
    minors = [minor for minor in range(5, 30) if f"3.{minor}" in allowed]
    setup = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    bounds = set(re.findall(r"\(3, (\d+)\) <= sys\.version_info\[:2\] < \(3, (\d+)\)", setup))
    assert bounds == {(str(minors[0]), str(minors[-1] + 1))}
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for minor in minors:
        assert re.search(rf"^\| 3\.{minor} \|", contributing, re.MULTILINE), f"3.{minor} is not in the matrix"
