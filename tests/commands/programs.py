"""Runs the project's programs as a person would, in a process of their own."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """A free port that nobody else is given within the block, and that the servers of PyTorch may listen on."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def run_program(script: str, *arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a script of this repository with this Python and return what it said and how it ended."""
    return subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_successfully(script: str, *arguments: object, timeout: float = 300) -> str:
    """Run a script that must end well; returns its standard output."""
    done = run_program(script, *arguments, timeout=timeout)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
