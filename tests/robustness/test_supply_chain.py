"""Nothing that is loaded may run code, and nothing is fetched unless it was asked for."""

import ast
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from robustness.invocation import ROOT, assert_one_error_line, invoke

SOURCES = sorted(
    path
    for path in [*(ROOT / "pointad").rglob("*.py"), *(ROOT / "scripts").rglob("*.py"), *ROOT.glob("*.py")]
    if "__pycache__" not in path.parts
)
# Functions that run code from their input, or may.
FORBIDDEN = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "joblib.load", "os.system"}
# Files of torch's are read as data by pointad.files.torch_files, without Python's unpickler and torch's readers.
FORBIDDEN |= {"pickle.load", "pickle.loads", "pickle.Unpickler", "torch.load", "torch.jit.load"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def argument(call: ast.Call, name: str) -> object:
    return next((k.value.value for k in call.keywords if k.arg == name and isinstance(k.value, ast.Constant)), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_code_from_files(path: Path) -> None:
    for name, call in calls(path):
        assert name not in FORBIDDEN, f"line {call.lineno}: {name}"
        if name == "np.load":
            assert argument(call, "allow_pickle") in (None, False), f"line {call.lineno}"
        assert argument(call, "shell") is not True, f"line {call.lineno}"


def test_the_walk_finds_what_it_looks_for() -> None:
    found = {name for path in SOURCES for name, _ in calls(path)}
    assert {"np.frombuffer", "torch.save"} <= found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_interpreter_of_torchscript_is_not_even_named(path: Path) -> None:
    assert "jit.load" not in path.read_text(encoding="utf-8")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """Every attempt to reach another machine fails and is written down."""
    attempts: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        attempts.append(arguments[1] if isinstance(arguments[0], socket.socket) else arguments[0])
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    for name in ("HF_HOME", "XDG_CACHE_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "caches"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return attempts


def test_programs_need_no_network(
    no_network: list[object], two_samples: Path, test_flags: tuple[object, ...], tmp_path: Path
) -> None:
    ending = invoke("test.py", "--data_path", two_samples, "--save_path", tmp_path / "out", *test_flags)
    assert ending.code == 0, ending.err
    assert invoke("scripts/report.py", tmp_path / "out", "--html", tmp_path / "pages").code == 0
    assert not no_network


def test_offline_the_missing_file_and_its_place_are_named(
    no_network: list[object], two_samples: Path, tmp_path: Path
) -> None:
    flags = ("--data_path", two_samples, "--save_path", tmp_path / "out", "--prompts", "ensemble")
    ending = invoke("test.py", *flags, "--clip_model", "ViT-B-16", "--clip_weights", "openai")
    assert_one_error_line(ending, "ViT-B-16.pt", "openaipublic.azureedge.net", str(ROOT / "checkpoints"))
    assert no_network
