"""The rooms of the library: imports point down the list and never back, so there can be no circle between rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "pointad"
ROOMS = (
    "commands",
    "demo",
    "inspection",
    "reference",
    "report",
    "training",
    "evaluation",
    "scoring",
    "encoding",
    "data",
    "datasets",
    "rendering",
    "scans",
    "model",
    "metrics",
    "visualization",
    "files",
    "compute",
    "errors",
)
MODULES = sorted(LIBRARY.rglob("*.py"))


def imported_modules(path: Path) -> Iterator[str]:
    """Every module of this repository that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module: str) -> str | None:
    """The room of a module of the library; None for other modules and for the front door itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "pointad" and parts[1] in ROOMS else None


def test_every_module_has_a_room() -> None:
    loose = {path.name for path in LIBRARY.glob("*.py")}
    assert loose == {"__init__.py", "errors.py"}
    assert {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"} <= set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_point_down_the_rooms(path: Path) -> None:
    own = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    upwards = {module for module in imported_modules(path) if ROOMS.index(room_of(module) or own) < ROOMS.index(own)}
    assert not upwards


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_library_knows_nothing_of_programs_and_tools(path: Path) -> None:
    foreign = ("pretraining", "tools", "scripts", "tests", "benchmarks", "train", "test")
    assert not [module for module in imported_modules(path) if module.split(".")[0] in foreign]


def test_no_circle_between_modules() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
    arrows = {name: {module for module in imported_modules(path) if module in names} for name, path in names.items()}
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' -> '.join([*trail, name])}"
        if name not in finished:
            for module in arrows[name] - {name}:
                visit(module, (*trail, name))
            finished.add(name)

    for name in names:
        visit(name, ())
