"""The tool that strains the service: nothing of the service stays when the tool is told to end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from tools.stressing.running_service import RunningService, is_running


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_tool_ends_its_service(number: signal.Signals) -> None:
    command = [sys.executable, "tools/stress_service.py", "--kinds", "row"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as tool:
        assert tool.stderr is not None and "after 0 requests" in tool.stderr.readline()
        (children,) = Path(f"/proc/{tool.pid}/task").glob(f"{tool.pid}/children")
        services = [int(child) for child in children.read_text().split() if b"serve.py" in command_of(int(child))]
        tool.send_signal(number)
        assert tool.wait(120) == 128 + number
    assert len(services) == 1 and not is_running(services[0])


def test_an_error_ends_the_service(tmp_path: Path) -> None:
    service = RunningService(tmp_path / "log.txt", "--checkpoint_path", str(tmp_path / "none.pth"))
    with pytest.raises(SystemExit, match="does not answer"), service:
        pass
    assert service.process.returncode == 2


def command_of(process: int) -> bytes:
    """The command line of a process."""
    return Path(f"/proc/{process}/cmdline").read_bytes()
