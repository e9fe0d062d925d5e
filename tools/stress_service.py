"""Measure how the service bears what clients do to it: slow, silent, large, endless, vanishing; on loopback alone.

    python tools/stress_service.py                     # starts scripts/serve.py with the demo weights, takes minutes
    python tools/stress_service.py --requests 500

Prints a line of figures for each kind of client, and how long /health took at most meanwhile. The number of connections
and requests and the time are bounded; nothing leaves this machine. Exit status 1: a figure broke its promise.
"""

import argparse
import contextlib
import io
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MOST_HEALTH_SECONDS = 1.0
MOST_STOP_SECONDS = 20.0


class Service:
    """The service in a process of its own."""

    def __init__(self, log: Path, *flags: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = log
        command = [sys.executable, str(ROOT / "scripts" / "serve.py"), "--port", str(self.port), *flags]
        self.process = subprocess.Popen(command, stderr=log.open("w"), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while self.health() is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the service did not start:\n{log.read_text()}")
            time.sleep(0.2)

    def health(self) -> float | None:
        """Seconds that /health took; None when it did not answer."""
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as answer:
                answer.read()
        except OSError:
            return None
        return time.perf_counter() - begun

    def predict(self, body: bytes, name: str = "scan.npy") -> int:
        """The status of a prediction; 0 where the connection broke."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/predict?name={name}", data=body)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.read()
            return error.code
        except OSError:
            return 0

    def connect(self, data: bytes = b"") -> socket.socket:
        """A connection on which some bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(data)
        return connection

    def memory_and_files(self) -> tuple[float, int]:
        """Megabytes in memory, and open file descriptors."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return kilobytes / 1000, len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextlib.contextmanager
def watched_health(service: Service) -> Iterator[list[float]]:
    """Ask for /health ten times a second while the block runs; the times, infinite where there was no answer."""
    times: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            taken = service.health()
            times.append(float("inf") if taken is None else taken)
            done.wait(0.1)

    thread = threading.Thread(target=watch)
    thread.start()
    yield times
    done.set()
    thread.join()


def scan(points: int) -> bytes:
    """A sphere as an array file."""
    directions = np.random.default_rng(points).normal(size=(points, 3)).astype(np.float32)
    buffer = io.BytesIO()
    np.save(buffer, directions / np.linalg.norm(directions, axis=1, keepdims=True))
    return buffer.getvalue()


def head(name: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST /predict?name={name} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def together(service: Service, bodies: list[bytes]) -> Counter[int]:
    """The statuses of predictions that are asked for at the same time."""
    found: Counter[int] = Counter()
    threads = [threading.Thread(target=lambda body=body: found.update([service.predict(body)])) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def slow_and_silent(service: Service, small: bytes) -> str:
    slow = [service.connect(head("a.npy", "Content-Length: 1000")) for _ in range(50)]
    silent = [service.connect() for _ in range(50)]
    found: Counter[int] = Counter()
    for _ in range(8):
        for connection in slow:
            with contextlib.suppress(OSError):
                connection.send(b"x")
        found.update([service.predict(small)])
        time.sleep(3)
    closed = sum(_is_closed(connection) for connection in silent)
    for connection in (*slow, *silent):
        connection.close()
    return f"predictions meanwhile {dict(found)}; {closed} of 50 silent connections closed by the service"


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1000) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def endless(service: Service) -> str:
    begun = time.perf_counter()
    answers: Counter[str] = Counter()
    for _ in range(3):
        connection = service.connect(head("a.npy", "Transfer-Encoding: chunked"))
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        answer = b""
        with contextlib.suppress(OSError):
            for _ in range(400):  # 400 MB at most
                connection.sendall(chunk)
                connection.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    answer = connection.recv(1000)
                connection.settimeout(60)
                if answer:
                    break
        answers.update([answer[9:12].decode() or "closed"])
        connection.close()
    return f"answers {dict(answers)} in {time.perf_counter() - begun:.1f} s"


def vanishing(service: Service, large: bytes, small: bytes) -> str:
    for _ in range(4):
        service.connect(head("a.npy", f"Content-Length: {len(large)}") + large).close()
    time.sleep(0.5)
    begun = time.perf_counter()
    status = service.predict(small)
    while status == 503 and time.perf_counter() - begun < 120:
        time.sleep(0.5)
        status = service.predict(small)
    return f"the next one is answered with {status} after {time.perf_counter() - begun:.1f} s"


def in_a_row(service: Service, small: bytes, count: int) -> str:
    for _ in range(10):
        service.predict(small)
    before = service.memory_and_files()
    found = Counter(service.predict(small if index % 5 else b"nonsense") for index in range(count))
    after = service.memory_and_files()
    memory = f"{before[0]:.0f} MB and {before[1]} descriptors before, {after[0]:.0f} MB and {after[1]} after"
    return f"{count} requests {dict(found)}; {memory}"


def stopping(service: Service, large: bytes) -> tuple[str, float]:
    slow = [service.connect(head("a.npy", "Content-Length: 1000") + b"x") for _ in range(5)]
    found: Counter[int] = Counter()
    asking = threading.Thread(target=lambda: found.update(together(service, [large, large])))
    asking.start()
    time.sleep(2)
    begun = time.perf_counter()
    service.process.send_signal(signal.SIGTERM)
    code = service.process.wait(timeout=120)
    taken = time.perf_counter() - begun
    asking.join()
    told = sum(b" 503 " in _received(connection) for connection in slow)
    return f"exit status {code} after {taken:.1f} s; answers {dict(found)}; {told} of 5 uploads told 503", taken


def _received(connection: socket.socket) -> bytes:
    with contextlib.suppress(OSError):
        return connection.recv(1000)
    return b""


def main() -> int:
    """Run all of it; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="how many in a row (default: 200)")
    parser.add_argument("--kinds", nargs="*", help="words of the kinds of clients to be tried (default: all)")
    arguments = parser.parse_args()
    small, large = scan(2_000), scan(1_000_000)
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "log.txt")
        kinds = {
            "50 slow and 50 silent clients": lambda: slow_and_silent(service, small),
            "20 scans of a million points at once": lambda: f"answers {dict(together(service, [large] * 20))}",
            "chunked bodies without an end": lambda: endless(service),
            "4 clients vanish in mid-prediction": lambda: vanishing(service, large, small),
            "requests in a row": lambda: in_a_row(service, small, arguments.requests),
        }
        for name, measure in kinds.items():
            if arguments.kinds is not None and not any(word in name for word in arguments.kinds):
                continue
            with watched_health(service) as times:
                said = measure()
            broken += max(times) > MOST_HEALTH_SECONDS
            print(f"{name}: {said}; /health {len(times)} times, at most {max(times):.3f} s", flush=True)
        said, taken = stopping(service, large)
        broken += taken > MOST_STOP_SECONDS
        print(f"SIGTERM during a prediction: {said}", flush=True)
        log = service.log.read_text()
        broken += "Traceback" in log
        print(json.dumps({"tracebacks in the log": log.count("Traceback"), "broken promises": int(broken)}))
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
