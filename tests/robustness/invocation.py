"""Runs the programs inside this process, where importing torch is paid for once, and looks at how they end."""

import contextlib
import io
import logging
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
EXIT_ERROR = 2


@dataclass(frozen=True)
class Ending:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines that begin with "error:"."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]


def invoke(script: str, *arguments: object) -> Ending:
    """Run a script of this repository with these arguments, as ``python script arguments`` would."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        patch.object(sys, "argv", [str(ROOT / script), *map(str, arguments)]),
        patch.object(sys, "path", [str((ROOT / script).parent), str(ROOT), *sys.path]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _own_logging(err),
    ):
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0
    return Ending(code, out.getvalue(), err.getvalue())


def render(dataset: str, source: Path, target: Path, *flags: object) -> Ending:
    """Run scripts/render_dataset.py with a single view."""
    flags = ("--views", "x0", "--num_workers", 1, *flags)
    return invoke(
        "scripts/render_dataset.py", "--dataset", dataset, "--data_path", source, "--save_path", target, *flags
    )


def assert_one_error_line(ending: Ending, *names: str) -> None:
    """One line that names what is wrong and holds a remedy, exit code 2, and no traceback."""
    assert ending.code == EXIT_ERROR, ending.err
    assert len(ending.errors) == 1, ending.err
    (line,) = ending.errors
    assert ";" in line, f"no remedy in: {line}"
    for name in names:
        assert name in line, f"{name!r} is not in: {line}"
    assert "Traceback" not in ending.err + ending.out


def files_below(folder: Path) -> set[str]:
    """All files in a folder, however deep, hidden ones too; none when it does not exist."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@contextlib.contextmanager
def _own_logging(stream: io.StringIO) -> Iterator[None]:
    """A root logger as a fresh process has it, writing to ``stream``; afterwards everything is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root.handlers = [handler]
    root.setLevel(logging.INFO)  # loggers remember what they may say until a level is set in this way
    try:
        yield
    finally:
        for added in root.handlers:
            if added is not handler:
                with contextlib.suppress(OSError):  # as at the end of a process
                    added.close()
        root.handlers = handlers
        root.setLevel(level)
