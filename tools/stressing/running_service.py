"""A service in processes of its own, and what is known about them from outside."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.stressing.health import health

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300
STOP_SECONDS = 60


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    megabytes: int  # in memory
    descriptors: int

    def __str__(self) -> str:
        return f"{self.megabytes} MB/{self.descriptors}"


class RunningService:
    """scripts/serve.py with the demo weights on a free port of loopback; it ends with the block.

    Args:
        log: where its standard error goes.
        flags: further flags of the program.
    """

    def __init__(self, log: Path, *flags: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = log
        command = [sys.executable, str(ROOT / "scripts" / "serve.py"), "--port", str(self.port), *flags]
        with log.open("w") as written:
            self.process = subprocess.Popen(command, stderr=written, stdout=subprocess.DEVNULL)

    def __enter__(self) -> "RunningService":
        """Wait until it answers."""
        try:
            self._wait_for(lambda: health(self.address) < float("inf"))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it, also where it has not been stopped because the rest was interrupted."""
        self._end()

    def predict(self, body: bytes, name: str = "scan.npy", **headers: str) -> int:
        """The status of a prediction; 0 where the connection broke."""
        request = urllib.request.Request(f"{self.address}/predict?name={name}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.read()
            return error.code
        except OSError:
            return 0

    def predict_together(self, bodies: list[bytes]) -> Counter[int]:
        """The statuses of predictions that are asked for at the same time."""
        with ThreadPoolExecutor(len(bodies)) as pool:
            return Counter(pool.map(self.predict, bodies))

    def connect(self, data: bytes = b"") -> socket.socket:
        """A connection on which some bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(data)
        return connection

    def load(self) -> dict[str, int]:
        """What /health says."""
        with urllib.request.urlopen(f"{self.address}/health", timeout=30) as answer:
            return dict(json.load(answer))

    def wait_until_free(self) -> None:
        """Wait until nothing is inspected, uploaded or started."""
        self._wait_for(lambda: self.load()["ready"] and not self.load()["waiting"] and not self.load()["uploads"])

    def inspecting(self) -> int:
        """The process that inspects."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes())

    def signal_inspecting(self, number: signal.Signals) -> None:
        """Send the process that inspects a signal."""
        os.kill(self.inspecting(), number)

    def held(self) -> tuple[Held, Held]:
        """What the web service and the process that inspects hold."""
        return _held(self.process.pid), _held(self.inspecting())

    def _end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the service does not answer:\n{self.log.read_text()}")
            time.sleep(0.2)


def _held(process: int) -> Held:
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return Held(round(kilobytes / 1000), len(list(Path(f"/proc/{process}/fd").iterdir())))


def is_running(process: int) -> bool:
    """Whether a process exists and has not ended."""
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    return False
